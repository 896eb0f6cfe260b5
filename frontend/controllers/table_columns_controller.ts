import { Controller } from "@hotwired/stimulus";
import { element } from "../lib/dom";

const STORE = "vantage.columns.";

/** Lets each person choose the columns of a list; the choice stays in this browser, per list. */
export default class extends Controller<HTMLElement> {
  static override values = { key: String };
  static override targets = ["chooser"];
  declare readonly keyValue: string;
  declare readonly hasChooserTarget: boolean;
  declare readonly chooserTarget: HTMLElement;
  private hidden = new Set<string>();

  override connect(): void {
    this.hidden = this.stored() ?? this.preset();
    if (this.hasChooserTarget) this.chooserTarget.replaceChildren(...this.choices());
    this.apply();
  }

  private headers(): HTMLElement[] {
    return [...this.element.querySelectorAll<HTMLElement>("th[data-column]")];
  }

  private preset(): Set<string> {
    const hidden = this.headers().filter((header) => header.hasAttribute("data-column-hidden"));
    return new Set(hidden.map((header) => header.dataset["column"] as string));
  }

  private stored(): Set<string> | null {
    try {
      const value: unknown = JSON.parse(localStorage.getItem(STORE + this.keyValue) ?? "null");
      return Array.isArray(value) ? new Set(value.map(String)) : null;
    } catch {
      return null;
    }
  }

  private choices(): HTMLElement[] {
    return this.headers().map((header) => {
      const box = element("input", "form-check-input");
      const column = header.dataset["column"] as string;
      box.type = "checkbox";
      box.checked = !this.hidden.has(column);
      box.addEventListener("change", () => this.choose(column, box.checked));
      return element("label", "form-check", box, element("span", "form-check-label", header.textContent ?? column));
    });
  }

  private choose(column: string, shown: boolean): void {
    if (shown) this.hidden.delete(column);
    else this.hidden.add(column);
    localStorage.setItem(STORE + this.keyValue, JSON.stringify([...this.hidden]));
    this.apply();
  }

  private apply(): void {
    for (const cell of this.element.querySelectorAll<HTMLElement>("[data-column]")) {
      cell.hidden = this.hidden.has(cell.dataset["column"] as string);
    }
  }
}
