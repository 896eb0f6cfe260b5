import { Controller } from "@hotwired/stimulus";
import type { LiveMessage } from "../lib/live";

/** A small number beside an icon that follows a live topic's summary.unread (or summary.count). */
export default class extends Controller<HTMLElement> {
  static override values = { topic: String };
  static override targets = ["count"];
  declare readonly topicValue: string;
  declare readonly countTarget: HTMLElement;
  private readonly hear = (event: Event): void => {
    const message = (event as CustomEvent<LiveMessage>).detail;
    if (message.topic !== this.topicValue) return;
    const count = Number(message.summary["unread"] ?? message.summary["count"] ?? 0);
    this.countTarget.textContent = count > 99 ? "99+" : String(count);
    this.countTarget.hidden = count === 0;
  };

  override connect(): void {
    window.addEventListener("live:message", this.hear);
  }

  override disconnect(): void {
    window.removeEventListener("live:message", this.hear);
  }
}
