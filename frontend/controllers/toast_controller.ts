import { Controller } from "@hotwired/stimulus";
import { post } from "../lib/http";
import { toast, toastFailure } from "../lib/toasts";
import { t } from "../lib/words";
import { undoers } from "./toasts_controller";

/** One note: counts down while nobody points at it, then goes; its undo posts once. */
export default class extends Controller<HTMLElement> {
  static override values = { seconds: { type: Number, default: 8 }, undoUrl: String };
  declare readonly secondsValue: number;
  declare readonly undoUrlValue: string;
  private left = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  override connect(): void {
    this.left = this.secondsValue;
    this.count();
    this.timer = setInterval(() => this.tick(), 1000);
  }

  override disconnect(): void {
    clearInterval(this.timer);
  }

  close(): void {
    this.element.remove();
  }

  async undo(): Promise<void> {
    const own = undoers.get(this.element);
    this.element.remove();
    try {
      if (own) await own();
      else await post(this.undoUrlValue);
      toast({ text: t("undone"), tone: "success", seconds: 3 });
      this.application.element.dispatchEvent(new CustomEvent("toast:undone", { bubbles: true }));
    } catch (error) {
      toastFailure(error instanceof Error && error.message ? error : new Error(t("undo_failed")));
    }
  }

  private tick(): void {
    const isUndo = !this.element.querySelector<HTMLElement>(".toast-undo")?.hidden;
    if (!isUndo && this.element.matches(":hover, :focus-within")) return;
    this.left -= 1;
    this.count();
    if (this.left <= 0) this.close();
  }

  private count(): void {
    const shown = this.element.querySelector(".toast-undo kbd");
    if (shown) shown.textContent = String(this.left);
  }
}
