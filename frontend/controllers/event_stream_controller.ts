import { Controller } from "@hotwired/stimulus";
import htmx from "htmx.org";
import { fillTemplate } from "../lib/dom";
import { getHtml } from "../lib/http";
import { type Allowed, fits, type LiveMessage } from "../lib/live";
import { t } from "../lib/words";

/** Live events slide in on top. Under the pointer or when scrolled away they wait behind "12 new". */
export default class extends Controller<HTMLElement> {
  static override targets = ["list", "template", "counter", "empty", "sound"];
  static override values = {
    topic: { type: String, default: "events" },
    kinds: { type: Array, default: ["raised"] },
    filter: { type: Object, default: {} },
    limit: { type: Number, default: 200 },
    fragmentUrl: String,
  };
  declare readonly listTarget: HTMLElement;
  declare readonly templateTarget: HTMLTemplateElement;
  declare readonly counterTarget: HTMLElement;
  declare readonly hasCounterTarget: boolean;
  declare readonly emptyTarget: HTMLElement;
  declare readonly hasEmptyTarget: boolean;
  declare readonly soundTarget: HTMLInputElement;
  declare readonly hasSoundTarget: boolean;
  declare readonly topicValue: string;
  declare readonly kindsValue: string[];
  declare readonly filterValue: Allowed;
  declare readonly limitValue: number;
  declare readonly fragmentUrlValue: string;
  private waiting: LiveMessage[] = [];
  private hovered = false;
  private chain: Promise<void> = Promise.resolve();

  private readonly hear = (event: Event): void => this.receive((event as CustomEvent<LiveMessage>).detail);
  private readonly enter = (): void => this.hover(true);
  private readonly leave = (): void => this.hover(false);
  private readonly scrolled = (): void => {
    if (!this.paused()) this.release();
  };

  override connect(): void {
    window.addEventListener("live:message", this.hear);
    this.listTarget.addEventListener("pointerenter", this.enter);
    this.listTarget.addEventListener("pointerleave", this.leave);
    this.listTarget.addEventListener("scroll", this.scrolled, { passive: true });
    this.count();
  }

  override disconnect(): void {
    window.removeEventListener("live:message", this.hear);
    this.listTarget.removeEventListener("pointerenter", this.enter);
    this.listTarget.removeEventListener("pointerleave", this.leave);
    this.listTarget.removeEventListener("scroll", this.scrolled);
  }

  /** Shows what waited and goes to the top. */
  release(): void {
    const waiting = this.waiting.splice(0);
    for (const message of waiting) this.add(message);
    this.listTarget.scrollTop = 0;
    this.count();
  }

  private receive(message: LiveMessage): void {
    if (!fits(message, this.topicValue, this.kindsValue, this.filterValue)) return;
    if (this.hasSoundTarget && this.soundTarget.checked) void beep();
    if (this.paused()) {
      this.waiting.push(message);
      if (this.waiting.length > this.limitValue) this.waiting.shift();
      this.count();
    } else {
      this.add(message);
    }
  }

  private paused(): boolean {
    return this.hovered || this.listTarget.scrollTop > 40;
  }

  private hover(on: boolean): void {
    this.hovered = on;
    if (!this.paused()) this.release();
  }

  /** Additions are queued, so that rows fetched as HTML keep the order of their messages. */
  private add(message: LiveMessage): void {
    if (!this.fragmentUrlValue) {
      this.insert(message, fillTemplate(this.templateTarget, { id: message.object, ...message.summary }));
      return;
    }
    const url = this.fragmentUrlValue.replace("{id}", encodeURIComponent(message.object));
    this.chain = this.chain.then(async () => {
      try {
        const made = new DOMParser().parseFromString(await getHtml(url), "text/html").body.firstElementChild;
        if (made instanceof HTMLElement) this.insert(message, made);
      } catch {
        // A foreign or deleted event answers 404: it is not ours to show.
      }
    });
  }

  private insert(message: LiveMessage, row: HTMLElement): void {
    this.listTarget.querySelector(`[data-event-id="${CSS.escape(message.object)}"]`)?.remove();
    row.dataset["eventId"] = message.object;
    const camera = message.summary["camera_id"];
    if (camera) row.dataset["cameraId"] = String(camera);
    if (message.summary["level"] === "urgent") row.classList.add("level-urgent");
    row.classList.add("is-new");
    this.listTarget.prepend(row);
    htmx.process(row);
    while (this.listTarget.children.length > this.limitValue) this.listTarget.lastElementChild?.remove();
    if (this.hasEmptyTarget) this.emptyTarget.hidden = true;
    this.dispatch("added", { detail: message });
  }

  private count(): void {
    if (!this.hasCounterTarget) return;
    this.counterTarget.hidden = this.waiting.length === 0;
    this.counterTarget.textContent = t("new_items", { count: this.waiting.length });
  }
}

/** A short tone made in the browser; silent where the browser forbids sound before a click. */
async function beep(): Promise<void> {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const volume = context.createGain();
  volume.gain.value = 0.06;
  tone.frequency.value = 740;
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.18);
  tone.onended = () => void context.close();
}
