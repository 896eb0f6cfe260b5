import { Controller } from "@hotwired/stimulus";
import htmx from "htmx.org";
import { Failure, csrfToken } from "../lib/http";
import { t } from "../lib/words";

/** Sends its form to a test address before it is saved and shows the server's answer (picture, facts or cause). */
export default class extends Controller<HTMLElement> {
  static override targets = ["result", "button", "elapsed"];
  static override values = { url: String };
  declare readonly urlValue: string;
  declare readonly resultTarget: HTMLElement;
  declare readonly buttonTarget: HTMLButtonElement;
  declare readonly hasButtonTarget: boolean;
  declare readonly elapsedTarget: HTMLElement;
  declare readonly hasElapsedTarget: boolean;
  private running: AbortController | null = null;

  override disconnect(): void {
    this.running?.abort();
  }

  async run(event?: Event): Promise<void> {
    event?.preventDefault();
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    const began = Date.now();
    this.busy(true);
    const timer = setInterval(() => this.tell(Math.round((Date.now() - began) / 1000)), 1000);
    this.tell(0);
    try {
      await this.send(running.signal);
    } catch (error) {
      if (!running.signal.aborted) this.resultTarget.textContent = (error as Error).message;
    } finally {
      clearInterval(timer);
      if (this.running === running) this.busy(false);
      if (this.hasElapsedTarget) this.elapsedTarget.textContent = "";
    }
  }

  private async send(signal: AbortSignal): Promise<void> {
    const form = this.element.closest("form") ?? this.element.querySelector("form");
    if (!form) return;
    const response = await fetch(this.urlValue, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-CSRFToken": csrfToken(), "HX-Request": "true" },
      credentials: "same-origin",
      signal,
    });
    const html = await response.text();
    const shows = (response.headers.get("Content-Type") ?? "").includes("html") && response.status < 500;
    if (!shows) throw new Failure(t("request_failed", { status: response.status }), response.status);
    const body = new DOMParser().parseFromString(html, "text/html").body;
    this.resultTarget.replaceChildren(...body.childNodes);
    htmx.process(this.resultTarget);
    this.dispatch("done", { detail: { ok: response.ok } });
  }

  private busy(on: boolean): void {
    this.resultTarget.setAttribute("aria-busy", String(on));
    if (this.hasButtonTarget) this.buttonTarget.disabled = on;
  }

  private tell(seconds: number): void {
    if (this.hasElapsedTarget) this.elapsedTarget.textContent = t("testing_for", { seconds });
  }
}
