import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { toast } from "../lib/toasts";
import { one, page, settle } from "../testing/page";
import { json, serve } from "../testing/requests";
import toastOne from "./toast_controller";
import toasts from "./toasts_controller";

const PAGE = `<div id="toasts" data-controller="toasts"><template data-toasts-target="template"><div class="toast-note" data-controller="toast">
  <span class="toast-words"></span><button class="toast-undo" data-action="toast#undo" hidden><span></span><kbd></kbd></button>
  <button class="toast-close" data-action="toast#close"></button></div></template></div>`;

beforeEach(() => page(PAGE, { toasts, toast: toastOne }, { undone: "Undone", undo_failed: "Too late", undo: "Undo" }));
afterEach(() => vi.useRealTimers());

const notes = (): string[] => [...document.querySelectorAll(".toast-note .toast-words")].map(({ textContent }) => textContent ?? "");

test("shows text as text", async () => {
  toast({ text: "<b>Camera</b>", tone: "error" });
  await settle();
  expect(notes()).toEqual(["<b>Camera</b>"]);
  expect(one(".toast-note").classList).toContain("toast-error");
});

test("answers the server's HX-Trigger event", async () => {
  document.body.dispatchEvent(new CustomEvent("toast", { detail: { text: "Saved", tone: "success" }, bubbles: true }));
  await settle();
  expect(notes()).toEqual(["Saved"]);
});

test("undo posts once and says so", async () => {
  const asked = serve({ "/undo/7": () => json({}) });
  toast({ text: "Deleted", undo_url: "/undo/7" });
  await settle();
  expect(one(".toast-undo").hidden).toBe(false);
  expect(one(".toast-undo kbd").textContent).toBe("10");
  one(".toast-undo").click();
  await settle();
  expect(asked).toEqual([{ url: "/undo/7", method: "POST", body: "" }]);
  expect(notes()).toEqual(["Undone"]);
});

test("a refused undo says what the server said", async () => {
  serve({ "/undo/7": () => json({ detail: "The ten seconds are over" }, 409) });
  toast({ text: "Deleted", undo_url: "/undo/7" });
  await settle();
  one(".toast-undo").click();
  await settle();
  expect(notes()).toEqual(["The ten seconds are over"]);
});

test("counts down and goes", async () => {
  toast({ text: "Deleted", undo: () => undefined, seconds: 2 });
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await settle();
  vi.advanceTimersByTime(1_000);
  expect(one(".toast-undo kbd").textContent).toBe("1");
  vi.advanceTimersByTime(1_000);
  expect(notes()).toEqual([]);
});
