import { Controller } from "@hotwired/stimulus";
import type { Toast } from "../lib/toasts";
import { t } from "../lib/words";

export const undoers = new WeakMap<Element, () => void | Promise<void>>();

/** Shows a note for every "toast" event: from scripts, or from the server's HX-Trigger header. */
export default class extends Controller<HTMLElement> {
  static override targets = ["template"];
  declare readonly templateTarget: HTMLTemplateElement;
  private readonly add = (event: Event): void => this.show((event as CustomEvent<Toast>).detail);

  override connect(): void {
    document.addEventListener("toast", this.add);
  }

  override disconnect(): void {
    document.removeEventListener("toast", this.add);
  }

  show(note: Toast): void {
    const made = (this.templateTarget.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
    made.classList.add(`toast-${note.tone ?? "info"}`);
    (made.querySelector(".toast-words") as HTMLElement).textContent = note.text;
    const undo = made.querySelector<HTMLElement>(".toast-undo");
    if (undo && (note.undo || note.undo_url)) {
      undo.hidden = false;
      (undo.querySelector("span") as HTMLElement).textContent = t("undo");
      made.dataset["toastUndoUrlValue"] = note.undo_url ?? "";
      if (note.undo) undoers.set(made, note.undo);
    }
    const seconds = note.seconds ?? (undo && !undo.hidden ? 10 : note.tone === "error" ? 12 : 5);
    made.dataset["toastSecondsValue"] = String(seconds);
    this.element.append(made);
  }
}
