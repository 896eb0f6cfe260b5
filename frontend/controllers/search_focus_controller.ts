import { Controller } from "@hotwired/stimulus";
import { isTyping } from "../lib/dom";

/** `/` jumps into the search; arrows walk through its answers, Esc leaves. */
export default class extends Controller<HTMLElement> {
  static override targets = ["input", "results"];
  declare readonly inputTarget: HTMLInputElement;
  declare readonly resultsTarget: HTMLElement;
  private readonly slash = (event: KeyboardEvent): void => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    event.preventDefault();
    this.inputTarget.focus();
    this.inputTarget.select();
  };

  override connect(): void {
    document.addEventListener("keydown", this.slash);
  }

  override disconnect(): void {
    document.removeEventListener("keydown", this.slash);
  }

  keys(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      this.clear();
      (document.activeElement as HTMLElement | null)?.blur();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      this.step(event.key === "ArrowDown" ? 1 : -1);
    }
  }

  leave(event: FocusEvent): void {
    if (!this.element.contains(event.relatedTarget as Node | null)) this.clear();
  }

  private clear(): void {
    this.resultsTarget.replaceChildren();
  }

  private step(by: number): void {
    const links = [...this.resultsTarget.querySelectorAll<HTMLElement>("a")];
    const at = links.indexOf(document.activeElement as HTMLElement) + by;
    (links[at] ?? this.inputTarget).focus();
  }
}
