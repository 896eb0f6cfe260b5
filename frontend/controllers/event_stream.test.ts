import { beforeEach, expect, test } from "vitest";
import { fits, type LiveMessage } from "../lib/live";
import { one, page, settle } from "../testing/page";
import { html, serve } from "../testing/requests";
import eventStream from "./event_stream_controller";

const PAGE = (more = ""): string => `<div data-controller="event-stream" data-event-stream-limit-value="3" ${more}>
  <button data-event-stream-target="counter" data-action="event-stream#release" hidden></button>
  <ol data-event-stream-target="list"></ol><p data-event-stream-target="empty">nothing</p>
  <template data-event-stream-target="template"><li><a data-href="/events/{id}/"><b data-text="name"></b></a></li></template></div>`;

function send(id: string, more: Partial<LiveMessage> = {}): void {
  const detail: LiveMessage = { seq: 1, topic: "events", kind: "raised", object: id, summary: { name: id, camera_id: "c" }, ...more };
  window.dispatchEvent(new CustomEvent("live:message", { detail }));
}
const shown = (): string[] => [...document.querySelectorAll("li b")].map(({ textContent }) => textContent ?? "");

beforeEach(() => page(PAGE(), { "event-stream": eventStream }, { new_items: "{count} new" }));

test("the newest event is on top, the oldest falls off, text stays text", () => {
  for (const id of ["1", "2", "3", "<img src=x onerror=alert(1)>"]) send(id);
  expect(shown()).toEqual(["<img src=x onerror=alert(1)>", "3", "2"]);
  expect(document.querySelector("img")).toBeNull();
  expect(one("[data-event-stream-target=empty]").hidden).toBe(true);
});

test("an event sent twice is one row", () => {
  send("1");
  send("1");
  expect(shown()).toEqual(["1"]);
});

test("under the pointer events wait and are counted; leaving lets them in", () => {
  const list = one("ol");
  list.dispatchEvent(new Event("pointerenter"));
  send("1");
  send("2");
  expect(shown()).toEqual([]);
  expect(one("button").textContent).toBe("2 new");
  expect(one("button").hidden).toBe(false);
  list.dispatchEvent(new Event("pointerleave"));
  expect(shown()).toEqual(["2", "1"]);
  expect(one("button").hidden).toBe(true);
});

test("scrolled away events wait until the button", () => {
  const list = one("ol");
  list.scrollTop = 100;
  send("1");
  expect(shown()).toEqual([]);
  one("button").click();
  expect(shown()).toEqual(["1"]);
});

test("rows can come from the server, in the order of their messages", async () => {
  await page(PAGE('data-event-stream-fragment-url-value="/rows/{id}"'), { "event-stream": eventStream });
  serve({ "/rows/1": () => html("<li><b>one</b></li>"), "/rows/2": () => html("<li><b>two</b></li>") });
  send("1");
  send("2");
  send("3");
  await settle();
  expect(shown()).toEqual(["two", "one"]);
});

test.each([
  [{ topic: "cameras" }, {}, false],
  [{ kind: "reviewed" }, {}, false],
  [{}, { level: ["urgent"] }, false],
  [{ summary: { level: "urgent" } }, { level: ["urgent"] }, true],
  [{}, {}, true],
])("%j through %j: %s", (more, filter, expected) => {
  const message: LiveMessage = { seq: 1, topic: "events", kind: "raised", object: "1", summary: {}, ...more };
  expect(fits(message, "events", ["raised"], filter as Record<string, string[]>)).toBe(expected);
});
