import { expect, test, vi } from "vitest";
import { one, page, settle } from "../testing/page";
import { html, serve } from "../testing/requests";
import badge from "./badge_controller";
import copy from "./copy_controller";
import filters from "./filters_controller";
import fileDrop, { objection, readableSize } from "./file_drop_controller";
import jsonView, { tree } from "./json_view_controller";
import picture from "./picture_controller";
import refresh from "./refresh_controller";
import relativeTime from "./relative_time_controller";
import remove from "./remove_controller";
import strategyView from "./strategy_view_controller";
import streamTest from "./stream_test_controller";

test("copy says when the browser refuses", async () => {
  const notes: string[] = [];
  await page('<button data-controller="copy" data-action="copy#copy" data-copy-text-value="abc"></button>', { copy }, { copied: "ok", copy_failed: "no" });
  document.body.addEventListener("toast", (event) => notes.push((event as CustomEvent<{ text: string }>).detail.text));
  vi.stubGlobal("navigator", { clipboard: { writeText: vi.fn().mockResolvedValueOnce(undefined).mockRejectedValueOnce(new Error()) } });
  one("button").click();
  await settle();
  one("button").click();
  await settle();
  expect(notes).toEqual(["ok", "no"]);
});

test("a badge follows its topic only", async () => {
  await page('<p data-controller="badge" data-badge-topic-value="jobs"><i data-badge-target="count" hidden></i></p>', { badge });
  const tell = (topic: string, unread: number): boolean =>
    window.dispatchEvent(new CustomEvent("live:message", { detail: { topic, summary: { unread } } }));
  tell("notifications", 4);
  expect(one("i").hidden).toBe(true);
  tell("jobs", 120);
  expect(one("i").textContent).toBe("99+");
  tell("jobs", 0);
  expect(one("i").hidden).toBe(true);
});

test("filters apply a choice at once and leave empty fields out", async () => {
  await page('<form data-controller="filters" data-action="change->filters#now"><select><option>1</option></select></form>', { filters });
  const applied = vi.fn();
  one("form").addEventListener("filters:apply", applied);
  one("select").dispatchEvent(new Event("change", { bubbles: true }));
  expect(applied).toHaveBeenCalledOnce();
  const parameters = { q: "", state: "online" };
  one("form").dispatchEvent(new CustomEvent("htmx:configRequest", { detail: { parameters } }));
  expect(parameters).toEqual({ state: "online" });
});

test("a relative time has the absolute one in its title", async () => {
  await page('<time datetime="2020-01-01T00:00:00Z" data-controller="relative-time"></time>', { "relative-time": relativeTime }, { days_ago: "{count} d" });
  expect(one("time").title).toBe("2020-01-01 08:00:00");
  expect(one("time").textContent).toMatch(/^\d+ d$/);
});

test("remove takes the closest match away", async () => {
  await page('<div class="plan"><button data-controller="remove" data-remove-closest-value=".plan" data-action="remove#now"></button></div>', { remove });
  one("button").click();
  expect(document.querySelector(".plan")).toBeNull();
});

test("JSON is a tree of text", () => {
  const made = tree({ name: "<img src=x>", list: [1, null] }, 2);
  expect(made.querySelector("img")).toBeNull();
  expect(made.textContent).toContain('"<img src=x>"');
  expect(made.querySelectorAll("details")).toHaveLength(1);
});

test("a JSON block is shown in place", async () => {
  await page('<script type="application/json" id="d">{"a":1}</script><p data-controller="json-view" data-json-view-source-value="d"></p>', { "json-view": jsonView });
  expect(one("p").textContent).toBe("{1}a: 1");
});

test.each([
  [500, "500 B"],
  [2048, "2.0 KB"],
  [1073741824, "1.0 GB"],
])("%i bytes are %s", (bytes, text) => expect(readableSize(bytes)).toBe(text));

test.each([
  [{ name: "a.ZIP", size: 5 }, ""],
  [{ name: "a.zip", size: 50 }, "file_too_large"],
  [{ name: "a.exe", size: 5 }, "file_wrong_kind"],
])("%j is answered with %j", async (file, expected) => {
  await page("", { "file-drop": fileDrop });
  expect(objection(file, 10, [".zip"])).toBe(expected);
});

test("boxes and regions lie over the picture and can be switched off", async () => {
  const boxes = JSON.stringify([{ label: "bag", score: 0.912, box: [0.1, 0.2, 0.3, 0.4] }]);
  await page(
    `<figure data-controller="picture" data-picture-boxes-value='${boxes}'><div data-picture-target="frame"><img data-picture-target="image"></div>
     <button data-picture-target="toggle" data-action="picture#toggle"></button></figure>`,
    { picture },
    { box_score: "{label} {score}" },
  );
  expect(one(".picture-word").textContent).toBe("bag 0.91");
  expect(document.querySelector("rect")?.getAttribute("width")).toBe("0.3");
  one("button").click();
  expect(one(".picture-layer").hidden).toBe(true);
});

test("a strategy is drawn with its counts as text, and a node can be chosen", async () => {
  const graph = {
    nodes: [{ id: "a", component: "event-in@1", label: "<b>In</b>", counts: { in: 4 } }, { id: "b", component: "raise@1" }],
    edges: [{ from: "a:out", to: "b:in", count: 3 }],
  };
  await page(
    `<script type="application/json" id="g">${JSON.stringify(graph).replaceAll("<", "\\u003c")}</script>
     <div data-controller="strategy-view" data-strategy-view-source-value="g"></div><p data-strategy-node="a" hidden></p><p data-strategy-node="b"></p>`,
    { "strategy-view": strategyView },
  );
  expect(document.querySelectorAll(".graph-node")).toHaveLength(2);
  expect(one(".graph").textContent).toContain("<b>In</b>");
  document.querySelector(".graph-node")?.dispatchEvent(new MouseEvent("click"));
  expect([...document.querySelectorAll<HTMLElement>("[data-strategy-node]")].map(({ hidden }) => hidden)).toEqual([false, true]);
});

const TEST_FORM = `<form><input name="url" value="rtsp://x"><section data-controller="stream-test" data-stream-test-url-value="/test">
  <button type="button" data-stream-test-target="button" data-action="stream-test#run"></button><div data-stream-test-target="result"></div></section></form>`;

test("a stream test shows the server's page of facts or causes", async () => {
  const asked = serve({ "/test": () => html("<p>No video in this stream</p>") });
  await page(TEST_FORM, { "stream-test": streamTest });
  one("button").click();
  await settle();
  expect(one("[data-stream-test-target=result]").textContent).toBe("No video in this stream");
  expect(asked[0]?.method).toBe("POST");
  expect(one<HTMLButtonElement>("button").disabled).toBe(false);
});

test("a stream test that breaks says so", async () => {
  serve({});
  await page(TEST_FORM, { "stream-test": streamTest }, { request_failed: "failed {status}" });
  one("button").click();
  await settle();
  expect(one("[data-stream-test-target=result]").textContent).toBe("failed 404");
});

test("a refreshed block says when it is old", async () => {
  let good = true;
  serve({ "/chain": () => (good ? html("<b>new</b>") : new Response("", { status: 503 })) });
  const application = await page(
    '<div data-controller="refresh" data-refresh-url-value="/chain" data-refresh-stale-value="-1"><p data-refresh-target="stale" hidden></p><section data-refresh-target="body">old</section></div>',
    { refresh },
    { stale_since: "old {seconds}" },
  );
  const controller = application.getControllerForElementAndIdentifier(one("div"), "refresh") as refresh;
  await controller.load();
  expect(one("section").textContent).toBe("new");
  good = false;
  await controller.load();
  expect(one("section").textContent).toBe("new");
  expect(one("p").hidden).toBe(false);
});
