import { beforeEach, expect, test } from "vitest";
import { page } from "../testing/page";
import { absolute, relative } from "./time";

const NOW = new Date("2026-11-21T06:05:33Z");

beforeEach(() =>
  page("", {}, {
    just_now: "now",
    seconds_ago: "{count} s ago",
    minutes_ago: "{count} min ago",
    hours_ago: "{count} h ago",
    days_ago: "{count} d ago",
    in_minutes: "in {count} min",
  }),
);

test("shows the city's time", () => {
  expect(absolute(NOW)).toBe("2026-11-21 14:05:33");
});

test.each([
  [3, "now"],
  [59, "59 s ago"],
  [60, "1 min ago"],
  [3599, "59 min ago"],
  [7200, "2 h ago"],
  [200_000, "2 d ago"],
  [-120, "in 2 min"],
])("%i s ago is %s", (seconds, words) => {
  expect(relative(new Date(NOW.getTime() - seconds * 1000), NOW)).toBe(words);
});
