import { beforeEach, expect, test, vi } from "vitest";
import { page } from "../testing/page";
import { json, serve } from "../testing/requests";
import { Failure, formBody, getJson, post } from "./http";

beforeEach(async () => {
  await page("", {}, { request_failed: "failed {status}", network_failed: "no network" });
  document.body.dataset["csrf"] = "token";
});

test("a refusal speaks with the server's words", async () => {
  serve({ "/x": () => json({ title: "Conflict", detail: "Somebody was faster", code: "locked" }, 409) });
  const failure = await post("/x").catch((error: Failure) => error);
  expect(failure).toMatchObject({ message: "Somebody was faster", status: 409, code: "locked" });
});

test("a broken answer still says something", async () => {
  serve({ "/x": () => new Response("<html>", { status: 502, headers: { "Content-Type": "text/html" } }) });
  await expect(getJson("/x")).rejects.toThrow("failed 502");
});

test("a dead network says so", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  await expect(getJson("/x")).rejects.toMatchObject({ message: "no network", status: 0 });
});

test("lists become repeated fields", () => {
  expect(formBody({ a: ["1", "2"], b: "x y" }).toString()).toBe("a=1&a=2&b=x+y");
});
