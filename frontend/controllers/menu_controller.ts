import { Controller } from "@hotwired/stimulus";

/** Makes a <details> behave like a menu: closes on Esc, on a click elsewhere and when another one opens. */
export default class extends Controller<HTMLDetailsElement> {
  private readonly outside = (event: Event): void => {
    if (this.element.open && !this.element.contains(event.target as Node)) this.element.open = false;
  };
  private readonly escape = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && this.element.open) this.close();
  };

  override connect(): void {
    document.addEventListener("click", this.outside);
    document.addEventListener("focusin", this.outside);
    document.addEventListener("keydown", this.escape);
  }

  override disconnect(): void {
    document.removeEventListener("click", this.outside);
    document.removeEventListener("focusin", this.outside);
    document.removeEventListener("keydown", this.escape);
  }

  close(): void {
    this.element.open = false;
    this.element.querySelector("summary")?.focus();
  }
}
