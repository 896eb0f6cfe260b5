import { Controller } from "@hotwired/stimulus";
import { LiveSocket, type LiveMessage, type LiveState } from "../lib/live";
import { t } from "../lib/words";
import { toast } from "../lib/toasts";

/** Holds the page's only live connection and says how it is; other controllers listen on window. */
export default class extends Controller<HTMLElement> {
  static override values = { url: String };
  static override targets = ["dot", "word"];
  declare readonly urlValue: string;
  declare readonly wordTarget: HTMLElement;
  private live: LiveSocket | null = null;

  override connect(): void {
    if (!this.urlValue) return;
    const url = new URL(this.urlValue, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.live = new LiveSocket(url.href, {
      message: (message) => this.tell("live:message", message),
      state: (state, retryIn) => this.show(state, retryIn),
      gap: () => {
        toast({ text: t("live_gap"), tone: "warning", seconds: 30 });
        this.tell("live:gap", null);
      },
      filled: (count) => toast({ text: t("live_filled", { count }), tone: "info" }),
    });
    this.live.start();
  }

  override disconnect(): void {
    this.live?.stop();
  }

  private tell(name: string, detail: LiveMessage | { state: LiveState } | null): void {
    window.dispatchEvent(new CustomEvent(name, { detail }));
  }

  private show(state: LiveState, retryIn: number): void {
    this.element.dataset["state"] = state;
    const words = { connecting: "live_connecting", open: "live_connected", lost: "live_lost", refused: "live_refused" };
    const text = t(words[state], { seconds: retryIn });
    this.wordTarget.textContent = state === "refused" ? "" : text;
    this.element.title = text;
    this.tell("live:state", { state });
  }
}
