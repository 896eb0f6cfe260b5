/** Requests to our own server: the CSRF token is added, and every failure becomes a Failure with words. */
import { activityHeaders } from "./activity";
import { t } from "./words";

export class Failure extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code = "",
    readonly errorId = "",
  ) {
    super(message);
  }
}

export function csrfToken(): string {
  return document.body.dataset["csrf"] ?? "";
}

export type Fields = Record<string, string | string[]>;

export function formBody(fields: Fields): URLSearchParams {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value]) body.append(name, one);
  }
  return body;
}

/** POST of a form; answers the response when it is 2xx, throws Failure otherwise. */
export function post(url: string, fields: Fields | FormData = {}): Promise<Response> {
  const body = fields instanceof FormData ? fields : formBody(fields);
  return send(url, { method: "POST", body, headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" } });
}

export async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  const response = await send(url, { headers: { Accept: "application/json" }, signal: signal ?? null });
  return (await response.json()) as T;
}

/** `byItself`: asked by a timer, not by a person. */
export async function getHtml(url: string, signal?: AbortSignal, byItself = false): Promise<string> {
  const headers = { "HX-Request": "true", Accept: "text/html", ...activityHeaders(byItself) };
  const response = await send(url, { headers, signal: signal ?? null });
  return response.text();
}

async function send(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    const headers = { ...activityHeaders(), ...(init.headers as Record<string, string> | undefined) };
    response = await fetch(url, { credentials: "same-origin", ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Failure(t("network_failed"), 0);
  }
  if (response.ok) return response;
  throw await failureOf(response);
}

/** Reads an RFC 9457 problem where the server sent one. */
async function failureOf(response: Response): Promise<Failure> {
  const errorId = response.headers.get("X-Request-Id") ?? "";
  const fallback = t("request_failed", { status: response.status });
  if (!(response.headers.get("Content-Type") ?? "").includes("json")) {
    return new Failure(fallback, response.status, "", errorId);
  }
  const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const text = problem["detail"] ?? problem["title"];
  return new Failure(typeof text === "string" ? text : fallback, response.status, String(problem["code"] ?? ""), errorId);
}
