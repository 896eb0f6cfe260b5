import { Controller } from "@hotwired/stimulus";
import { t } from "../lib/words";

/** Selection of rows: the bar of actions appears with the first one and says how many. Shift selects a range. */
export default class extends Controller<HTMLElement> {
  static override targets = ["all", "one", "bar", "count"];
  declare readonly oneTargets: HTMLInputElement[];
  declare readonly hasAllTarget: boolean;
  declare readonly allTarget: HTMLInputElement;
  declare readonly hasBarTarget: boolean;
  declare readonly barTarget: HTMLElement;
  declare readonly countTarget: HTMLElement;
  private last = -1;
  private shift = false;
  private readonly note = (event: MouseEvent): void => {
    this.shift = event.shiftKey;
  };

  override connect(): void {
    this.element.addEventListener("click", this.note, true);
    this.show();
  }

  override disconnect(): void {
    this.element.removeEventListener("click", this.note, true);
  }

  all(): void {
    for (const box of this.oneTargets) box.checked = this.allTarget.checked;
    this.show();
  }

  clear(): void {
    for (const box of this.oneTargets) box.checked = false;
    this.show();
  }

  changed(event: Event): void {
    const box = event.target as HTMLInputElement;
    const at = this.oneTargets.indexOf(box);
    if (this.shift && this.last >= 0) {
      const [from, to] = [Math.min(at, this.last), Math.max(at, this.last)];
      for (const between of this.oneTargets.slice(from, to + 1)) between.checked = box.checked;
    }
    this.last = at;
    this.show();
  }

  private show(): void {
    const count = this.oneTargets.filter((box) => box.checked).length;
    if (this.hasAllTarget) {
      this.allTarget.checked = count > 0 && count === this.oneTargets.length;
      this.allTarget.indeterminate = count > 0 && count < this.oneTargets.length;
    }
    if (!this.hasBarTarget) return;
    this.barTarget.hidden = count === 0;
    this.countTarget.textContent = t("selected_count", { count });
  }
}
