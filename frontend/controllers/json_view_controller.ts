import { Controller } from "@hotwired/stimulus";
import { element } from "../lib/dom";

const LONGEST_LIST = 200;

/** A JSON document as a foldable tree of text nodes. */
export function tree(value: unknown, open: number, key = ""): HTMLElement {
  const name = key ? [element("span", "json-key", `${key}: `)] : [];
  if (typeof value !== "object" || value === null) {
    const css = typeof value === "string" ? "json-text" : "json-other";
    return element("div", "json-line", ...name, element("span", css, JSON.stringify(value) ?? "null"));
  }
  const entries = Object.entries(value);
  const marks = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  const folded = element("details", "", element("summary", "", ...name, marks));
  folded.open = open > 0;
  for (const [inner, one] of entries.slice(0, LONGEST_LIST)) folded.append(tree(one, open - 1, inner));
  if (entries.length > LONGEST_LIST) folded.append(element("div", "json-line", `… ${entries.length - LONGEST_LIST}`));
  return folded;
}

export default class extends Controller<HTMLElement> {
  static override values = { source: String, open: { type: Number, default: 2 } };
  declare readonly sourceValue: string;
  declare readonly openValue: number;

  override connect(): void {
    const block = document.getElementById(this.sourceValue);
    if (!block?.textContent) return;
    this.element.classList.add("json-view");
    this.element.replaceChildren(tree(JSON.parse(block.textContent), this.openValue));
  }
}
