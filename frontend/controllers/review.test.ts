import { beforeEach, expect, test } from "vitest";
import toasts from "./toasts_controller";
import toastOne from "./toast_controller";
import { one, page, press, settle } from "../testing/page";
import { type Asked, html, json, serve } from "../testing/requests";
import review from "./review_controller";

const item = (id: number): string =>
  `<li data-id="${id}" data-panel-url="/panel/${id}" data-decide-url="/decide/${id}" data-lock-url="/lock/${id}">${id}</li>`;
const PAGE = `<div data-controller="review" data-review-more-url-value="/more">
  <ol data-review-target="queue">${[1, 2, 3, 4, 5].map(item).join("")}</ol><div data-review-target="panel"></div>
  <div data-review-target="reasons" hidden><button data-review-reason-param="light"></button><button data-review-reason-param="shadow"></button></div>
  <b data-review-target="done"></b><b data-review-target="left"></b><p data-review-target="message" hidden></p></div>
  <div data-controller="toasts"><template data-toasts-target="template"><div data-controller="toast"><span class="toast-words"></span></div></template></div>`;

let asked: Asked[];
let locked = new Set<string>();
let refuse = 0;
let more = "";

beforeEach(async () => {
  locked = new Set();
  refuse = 0;
  more = "";
  const answers: Record<string, (one: Asked) => Response> = { "/more": () => html(more) };
  for (let id = 1; id <= 9; id += 1) {
    answers[`/panel/${id}`] = () => html(`<p>panel ${id}</p>`);
    answers[`/lock/${id}`] = () => (locked.has(String(id)) ? json({}, 409) : new Response(null, { status: 204 }));
    answers[`/decide/${id}`] = () => (refuse ? json({}, refuse) : json({ undo_url: `/undo/${id}`, done: 1, left: 4 }));
    answers[`/undo/${id}`] = () => json({});
  }
  asked = serve(answers);
  await page(PAGE, { review, toasts, toast: toastOne }, { review_empty: "empty", review_locked: "locked", review_failed: "failed" });
});

const panel = (): string => one("[data-review-target=panel]").textContent ?? "";
const queue = (): string => [...document.querySelectorAll("li")].map(({ textContent }) => textContent).join("");
const posts = (): string[] => asked.filter(({ method, url }) => method === "POST" && !url.startsWith("/lock")).map(({ url, body }) => `${url} ${body}`);

test("opens the first event and fetches the next three", () => {
  expect(panel()).toBe("panel 1");
  expect(asked.filter(({ url }) => url.startsWith("/panel")).map(({ url }) => url)).toEqual(["/panel/1", "/panel/2", "/panel/3", "/panel/4"]);
});

test.each([
  ["a", "confirmed"],
  ["U", "unsure"],
  ["s", "skipped"],
])("%s judges %s and shows the next at once", async (key, verdict) => {
  press(key);
  await settle();
  expect(posts()).toEqual([`/decide/1 verdict=${verdict}&reason=`]);
  expect(panel()).toBe("panel 2");
  expect(one("[data-review-target=left]").textContent).toBe("4");
});

test("a false alarm asks for its reason in one more key", async () => {
  press("x");
  expect(one("[data-review-target=reasons]").hidden).toBe(false);
  press("2");
  await settle();
  expect(posts()).toEqual(["/decide/1 verdict=false_alarm&reason=shadow"]);
  expect(one("[data-review-target=reasons]").hidden).toBe(true);
});

test("Z takes the last verdict back", async () => {
  press("a");
  await settle();
  press("z");
  await settle();
  expect(posts()[1]).toBe("/undo/1 ");
  expect(panel()).toBe("panel 1");
  expect(queue()).toBe("12345");
});

test("a queue that still names what was judged does not bring it back, and undo does once", async () => {
  more = item(1) + item(6);
  press("a");
  await settle();
  expect(queue()).toBe("23456");
  press("z");
  await settle();
  expect(queue()).toBe("123456");
});

test("J and K walk without judging", async () => {
  press("j");
  await settle();
  expect(panel()).toBe("panel 2");
  press("k");
  await settle();
  expect(panel()).toBe("panel 1");
  expect(posts()).toEqual([]);
});

test("a verdict that could not be saved comes back into the queue", async () => {
  refuse = 500;
  press("a");
  await settle();
  expect(queue()).toBe("12345");
});

test("an event that another reviewer holds is left to them", async () => {
  locked.add("2");
  press("a");
  await settle();
  expect(panel()).toBe("panel 3");
  expect(queue()).toBe("345");
});

test("says when nothing waits", async () => {
  for (let left = 5; left > 0; left -= 1) {
    press("s");
    await settle();
  }
  expect(one("[data-review-target=message]").textContent).toBe("empty");
  expect(panel()).toBe("");
});

test("keys with Ctrl stay the browser's", async () => {
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "a", ctrlKey: true }));
  await settle();
  expect(posts()).toEqual([]);
});
