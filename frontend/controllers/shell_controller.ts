import { Controller } from "@hotwired/stimulus";
import { isTyping } from "../lib/dom";

/** What belongs to every page: the keyboard help on `?`. */
export default class extends Controller<HTMLElement> {
  private readonly keys = (event: KeyboardEvent): void => {
    if (event.key === "?" && !isTyping(event.target)) this.help();
    if (event.key === "Escape") this.show(false);
  };

  override connect(): void {
    document.addEventListener("keydown", this.keys);
  }

  override disconnect(): void {
    document.removeEventListener("keydown", this.keys);
  }

  help(): void {
    this.show(this.panel()?.hidden ?? false);
  }

  private panel(): HTMLElement | null {
    return document.getElementById("keyboard-help");
  }

  private show(visible: boolean): void {
    const panel = this.panel();
    if (panel) panel.hidden = !visible;
  }
}
