import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { activityHeaders, watchActivity } from "./activity";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("a request is the page's own when nobody touched it for a minute", () => {
  const page = new EventTarget();
  watchActivity(page);
  page.dispatchEvent(new Event("keydown"));
  expect(activityHeaders()).toEqual({});
  vi.advanceTimersByTime(61_000);
  expect(activityHeaders()).toEqual({ "X-Background": "1" });
  page.dispatchEvent(new Event("pointerdown"));
  expect(activityHeaders()).toEqual({});
});

test("what runs by a timer is always the page's own", () => {
  expect(activityHeaders(true)).toEqual({ "X-Background": "1" });
});
