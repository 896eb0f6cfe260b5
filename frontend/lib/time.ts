/** Times on screen: absolute in the city's zone, relative in words. */
import { t } from "./words";

const ZONE = "Asia/Shanghai";
const formatter = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE, dateStyle: "short", timeStyle: "medium" });

/** 2026-11-21 14:05:33 in Asia/Shanghai. */
export function absolute(moment: Date): string {
  return formatter.format(moment).replace(/[  ]/g, " ");
}

const UNITS: [limit: number, size: number, name: string][] = [
  [60, 1, "seconds"],
  [3600, 60, "minutes"],
  [86400, 3600, "hours"],
  [Infinity, 86400, "days"],
];

export function relative(moment: Date, now: Date = new Date()): string {
  const seconds = Math.round((now.getTime() - moment.getTime()) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return t("just_now");
  const [, unit, name] = UNITS.find(([limit]) => size < limit) as [number, number, string];
  const count = Math.floor(size / unit);
  return seconds > 0 ? t(`${name}_ago`, { count }) : t(`in_${name}`, { count });
}

/** How long until relative() says something else, in ms. */
export function nextChange(moment: Date, now: Date = new Date()): number {
  const size = Math.abs(now.getTime() - moment.getTime()) / 1000;
  return size < 60 ? 5_000 : size < 3600 ? 30_000 : 600_000;
}
