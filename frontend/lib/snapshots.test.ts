import { expect, test } from "vitest";
import { takenAt } from "./snapshots";

const NOW = new Date("2026-11-21T06:00:00Z");

test.each([
  [{ "X-Captured-At": "2026-11-21T05:59:50Z" }, "2026-11-21T05:59:50.000Z"],
  [{ "Last-Modified": "Sat, 21 Nov 2026 05:58:00 GMT" }, "2026-11-21T05:58:00.000Z"],
  [{}, "2026-11-21T06:00:00.000Z"],
  [{ "X-Captured-At": "nonsense" }, "2026-11-21T06:00:00.000Z"],
])("%j was taken at %s", (headers, expected) => {
  expect(takenAt(new Headers(headers as Record<string, string>), NOW).toISOString()).toBe(expected);
});
