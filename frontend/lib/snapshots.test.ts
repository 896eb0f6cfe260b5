import { expect, test, vi } from "vitest";
import { serve } from "../testing/requests";
import { SnapshotLoop, takenAt } from "./snapshots";

const NOW = new Date("2026-11-21T06:00:00Z");

test.each([
  [{ "X-Captured-At": "2026-11-21T05:59:50Z" }, "2026-11-21T05:59:50.000Z"],
  [{ "Last-Modified": "Sat, 21 Nov 2026 05:58:00 GMT" }, "2026-11-21T05:58:00.000Z"],
  [{}, "2026-11-21T06:00:00.000Z"],
  [{ "X-Captured-At": "nonsense" }, "2026-11-21T06:00:00.000Z"],
])("%j was taken at %s", (headers, expected) => {
  expect(takenAt(new Headers(headers as Record<string, string>), NOW).toISOString()).toBe(expected);
});

test("a camera without a picture yet is asked again", async () => {
  vi.useFakeTimers();
  const failed: number[] = [];
  serve({ "/now": () => new Response(null, { status: 204 }) });
  const loop = new SnapshotLoop("/now", 5, () => failed.push(-1), (status) => failed.push(status));
  loop.start();
  await vi.advanceTimersByTimeAsync(5_100);
  loop.stop();
  vi.useRealTimers();
  expect(failed).toEqual([204, 204]);
});
