import { Controller } from "@hotwired/stimulus";
import htmx from "htmx.org";
import { getHtml } from "../lib/http";
import { t } from "../lib/words";

/** Replaces its content from a URL while the page is visible. When that fails it says how old the content is.
 * Registered as "refresh" and as "chain". What lies inside [data-keep] with focus or an open menu is not torn away. */
export default class extends Controller<HTMLElement> {
  static override values = {
    url: String,
    interval: { type: Number, default: 5 },
    stale: { type: Number, default: 20 },
  };
  static override targets = ["stale", "body"];
  declare readonly urlValue: string;
  declare readonly intervalValue: number;
  declare readonly staleValue: number;
  declare readonly hasStaleTarget: boolean;
  declare readonly staleTarget: HTMLElement;
  declare readonly hasBodyTarget: boolean;
  declare readonly bodyTarget: HTMLElement;
  private timer: ReturnType<typeof setInterval> | undefined;
  private fresh = Date.now();
  private busy = false;
  private readonly visible = (): void => {
    if (!document.hidden) void this.load();
  };

  override connect(): void {
    this.fresh = Date.now();
    this.timer = setInterval(() => void this.load(), this.intervalValue * 1000);
    document.addEventListener("visibilitychange", this.visible);
  }

  override disconnect(): void {
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.visible);
  }

  async load(): Promise<void> {
    if (document.hidden || this.busy || this.inUse()) return;
    this.busy = true;
    try {
      const html = await getHtml(this.urlValue, undefined, true);
      const body = this.hasBodyTarget ? this.bodyTarget : this.element;
      body.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
      htmx.process(body);
      this.fresh = Date.now();
    } catch {
      // Said below as age: one failed refresh is not news, an old figure is.
    } finally {
      this.busy = false;
      this.tellAge();
    }
  }

  private inUse(): boolean {
    return this.element.querySelector("details[open], :focus-visible") !== null;
  }

  private tellAge(): void {
    const seconds = Math.round((Date.now() - this.fresh) / 1000);
    const old = seconds > this.staleValue;
    this.element.classList.toggle("is-stale", old);
    if (!this.hasStaleTarget) return;
    this.staleTarget.hidden = !old;
    this.staleTarget.textContent = old ? t("stale_since", { seconds }) : "";
  }
}
