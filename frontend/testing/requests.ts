/** Stands in for the server in controller tests: answers by path, remembers what was asked. */
import { vi } from "vitest";

export interface Asked {
  url: string;
  method: string;
  body: string;
}

export type Answers = Record<string, (asked: Asked) => Response>;

export function serve(answers: Answers): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (input: RequestInfo | URL, init: RequestInit = {}) => {
    const url = new URL(String(input), location.href);
    const one = { url: url.pathname + url.search, method: init.method ?? "GET", body: String(init.body ?? "") };
    asked.push(one);
    const answer = answers[url.pathname];
    return answer ? answer(one) : new Response("", { status: 404 });
  });
  return asked;
}

export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });
}

export function html(text: string): Response {
  return new Response(text, { headers: { "Content-Type": "text/html" } });
}
