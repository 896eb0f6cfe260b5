import { Controller } from "@hotwired/stimulus";
import htmx from "htmx.org";
import { isTyping } from "../lib/dom";
import { Failure, getHtml, post } from "../lib/http";
import { KEYS, PanelCache, type QueueItem, type Verdict, picturesIn } from "../lib/review_queue";
import { toast, toastFailure } from "../lib/toasts";
import { t } from "../lib/words";

interface Decided {
  undo_url?: string;
  seconds?: number;
  done?: number;
  left?: number;
}

/** The review workbench: one key per verdict, the next three panels are there already, undo for ten seconds. */
export default class extends Controller<HTMLElement> {
  static override targets = ["queue", "panel", "reasons", "done", "left", "message"];
  static override values = { moreUrl: String, prefetch: { type: Number, default: 3 } };
  declare readonly queueTarget: HTMLElement;
  declare readonly panelTarget: HTMLElement;
  declare readonly reasonsTarget: HTMLElement;
  declare readonly hasReasonsTarget: boolean;
  declare readonly doneTarget: HTMLElement;
  declare readonly hasDoneTarget: boolean;
  declare readonly leftTarget: HTMLElement;
  declare readonly hasLeftTarget: boolean;
  declare readonly messageTarget: HTMLElement;
  declare readonly hasMessageTarget: boolean;
  declare readonly moreUrlValue: string;
  declare readonly prefetchValue: number;
  private readonly warm: HTMLImageElement[] = [];
  private readonly cache = new PanelCache(getHtml, (html) => this.warmPictures(html));
  private current: HTMLElement | null = null;
  private lastUndo: { url: string; item: HTMLElement; until: number } | null = null;
  private filling = false;
  /** Ids with a verdict of this page: an answer of the queue that was on its way meanwhile may still name them. */
  private readonly judged = new Set<string>();
  private readonly keys = (event: KeyboardEvent): void => this.key(event);

  override connect(): void {
    document.addEventListener("keydown", this.keys);
    this.queueTarget.addEventListener("click", this.picked);
    void this.open(this.items()[0] ?? null);
  }

  override disconnect(): void {
    document.removeEventListener("keydown", this.keys);
    this.queueTarget.removeEventListener("click", this.picked);
  }

  /** Buttons: data-action="review#decide" data-review-verdict-param="confirmed". */
  decide({ params }: { params: { verdict?: Verdict; reason?: string } }): void {
    if (params.verdict) void this.judge(params.verdict, params.reason ?? "");
  }

  next(): void {
    void this.open(this.neighbour(1));
  }

  previous(): void {
    void this.open(this.neighbour(-1));
  }

  async undo(): Promise<void> {
    const last = this.lastUndo;
    if (!last || Date.now() > last.until) {
      toast({ text: t("undo_failed"), tone: "warning" });
      return;
    }
    this.lastUndo = null;
    try {
      await post(last.url);
      this.judged.delete(last.item.dataset["id"] as string);
      this.queueTarget.prepend(last.item);
      this.cache.forget(last.item.dataset["id"] as string);
      await this.open(last.item);
      toast({ text: t("undone"), tone: "success", seconds: 3 });
    } catch (error) {
      toastFailure(error);
    }
  }

  private readonly picked = (event: Event): void => {
    const item = (event.target as HTMLElement).closest<HTMLElement>("li[data-id]");
    if (item) void this.open(item);
  };

  private items(): HTMLElement[] {
    return [...this.queueTarget.querySelectorAll<HTMLElement>("li[data-id]")];
  }

  private neighbour(by: number): HTMLElement | null {
    const items = this.items();
    const at = this.current ? items.indexOf(this.current) : -1;
    return items[Math.min(items.length - 1, Math.max(0, at + by))] ?? null;
  }

  private dataOf(item: HTMLElement): QueueItem {
    const { id = "", panelUrl = "", decideUrl = "", lockUrl = "" } = item.dataset;
    return { id, panelUrl, decideUrl, lockUrl };
  }

  private async open(item: HTMLElement | null): Promise<void> {
    this.current?.removeAttribute("aria-current");
    this.current = item;
    this.showReasons(false);
    if (!item) {
      this.panelTarget.replaceChildren();
      this.say(t("review_empty"));
      void this.fill();
      return;
    }
    this.say("");
    item.setAttribute("aria-current", "true");
    item.scrollIntoView?.({ block: "nearest" });
    const data = this.dataOf(item);
    void this.lock(item, data);
    try {
      const html = await this.cache.get(data);
      if (this.current === item) this.show(html);
    } catch (error) {
      if (this.current === item) toastFailure(error);
    }
    this.ahead(item);
  }

  private show(html: string): void {
    const { body } = new DOMParser().parseFromString(html, "text/html");
    this.panelTarget.replaceChildren(...body.childNodes);
    htmx.process(this.panelTarget);
  }

  /** Two reviewers never judge the same event: who cannot lock it goes on to the next one. */
  private async lock(item: HTMLElement, { lockUrl }: QueueItem): Promise<void> {
    if (!lockUrl) return;
    try {
      await post(lockUrl);
    } catch (error) {
      if (!(error instanceof Failure) || error.status !== 409 || this.current !== item) return;
      toast({ text: t("review_locked"), tone: "info" });
      this.leave(item);
    }
  }

  /** Takes an item off the queue and opens the one after it. */
  private leave(item: HTMLElement): void {
    const items = this.items();
    const at = items.indexOf(item);
    const following = items[at + 1] ?? items[at - 1] ?? null;
    item.remove();
    this.cache.forget(item.dataset["id"] as string);
    if (this.current === item || !this.current) void this.open(following);
    if (this.items().length < this.prefetchValue * 3) void this.fill();
  }

  private ahead(item: HTMLElement): void {
    const items = this.items();
    const at = items.indexOf(item);
    for (const next of items.slice(at + 1, at + 1 + this.prefetchValue)) {
      this.cache.get(this.dataOf(next)).catch(() => undefined);
    }
  }

  private warmPictures(html: string): void {
    for (const address of picturesIn(html)) {
      const image = new Image();
      image.src = address;
      this.warm.push(image);
    }
    this.warm.splice(0, Math.max(0, this.warm.length - 24));
  }

  private async fill(): Promise<void> {
    if (!this.moreUrlValue || this.filling) return;
    this.filling = true;
    try {
      const last = this.items().at(-1)?.dataset["id"] ?? "";
      const url = new URL(this.moreUrlValue, location.href);
      if (last) url.searchParams.set("after", last);
      const { body } = new DOMParser().parseFromString(await getHtml(url.href), "text/html");
      const known = new Set(this.items().map((item) => item.dataset["id"]));
      const isNew = (id = ""): boolean => !known.has(id) && !this.judged.has(id);
      const fresh = [...body.querySelectorAll<HTMLElement>("li[data-id]")].filter(({ dataset }) => isNew(dataset["id"]));
      this.queueTarget.append(...fresh);
      if (!this.current && fresh[0]) await this.open(fresh[0]);
    } catch {
      // The queue is asked again after the next verdict.
    } finally {
      this.filling = false;
    }
  }

  /** The next event is shown at once; the verdict travels meanwhile and comes back into the queue if it fails. */
  private async judge(verdict: Verdict, reason = ""): Promise<void> {
    const item = this.current;
    if (!item) return;
    if (verdict === "false_alarm" && !reason && this.hasReasonsTarget && this.reasonsTarget.hidden) {
      this.showReasons(true);
      return;
    }
    const { decideUrl, id } = this.dataOf(item);
    if (verdict !== "skipped") this.judged.add(id);
    this.leave(item);
    try {
      const response = await post(decideUrl, { verdict, reason });
      this.decided(item, verdict, (await response.json().catch(() => ({}))) as Decided);
    } catch (error) {
      const taken = error instanceof Failure && error.status === 409;
      if (!taken) this.putBack(item, id);
      toast({ text: taken ? t("review_locked") : t("review_failed"), tone: taken ? "info" : "error" });
    }
  }

  private putBack(item: HTMLElement, id: string): void {
    this.judged.delete(id);
    this.queueTarget.prepend(item);
  }

  private decided(item: HTMLElement, verdict: Verdict, answer: Decided): void {
    if (this.hasDoneTarget && answer.done !== undefined) this.doneTarget.textContent = String(answer.done);
    if (this.hasLeftTarget && answer.left !== undefined) this.leftTarget.textContent = String(answer.left);
    const seconds = answer.seconds ?? 10;
    if (answer.undo_url) this.lastUndo = { url: answer.undo_url, item, until: Date.now() + seconds * 1000 };
    toast({
      text: t(`review_${verdict}`),
      tone: "success",
      seconds: answer.undo_url ? seconds : 3,
      ...(answer.undo_url ? { undo: () => this.undo() } : {}),
    });
  }

  private showReasons(on: boolean): void {
    if (this.hasReasonsTarget) this.reasonsTarget.hidden = !on;
  }

  private key(event: KeyboardEvent): void {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const reason = this.reasonFor(event.key);
    const command = KEYS[event.key.toLowerCase()];
    if (reason !== null) void this.judge("false_alarm", reason);
    else if (event.key === "Escape") this.showReasons(false);
    else if (command) this.run(command);
    else return;
    event.preventDefault();
  }

  /** While the reason chips are shown, 1 … 9 choose one and X again means without a reason. */
  private reasonFor(key: string): string | null {
    if (!this.hasReasonsTarget || this.reasonsTarget.hidden) return null;
    if (key.toLowerCase() === "x") return "other";
    const chips = [...this.reasonsTarget.querySelectorAll<HTMLElement>("[data-review-reason-param]")];
    return chips[Number(key) - 1]?.dataset["reviewReasonParam"] ?? null;
  }

  private run(command: string): void {
    if (command === "undo") void this.undo();
    else if (command === "next") this.next();
    else if (command === "previous") this.previous();
    else if (command === "zoom") this.zoom();
    else if (command === "fix") this.panelTarget.querySelector<HTMLElement>("[data-review-fix]")?.click();
    else void this.judge(command as Verdict);
  }

  private zoom(): void {
    const picture = this.panelTarget.querySelector<HTMLElement>('[data-controller~="picture"]');
    const controller = picture && this.application.getControllerForElementAndIdentifier(picture, "picture");
    (controller as { flip?: () => void } | null)?.flip?.();
  }

  private say(text: string): void {
    if (!this.hasMessageTarget) return;
    this.messageTarget.textContent = text;
    this.messageTarget.hidden = !text;
  }
}
