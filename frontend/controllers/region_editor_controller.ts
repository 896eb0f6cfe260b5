import { Controller } from "@hotwired/stimulus";
import { RegionCanvas } from "../islands/region_canvas";
import { element, isTyping } from "../lib/dom";
import { getJson } from "../lib/http";
import { type Kind, RegionModel, type Shape, crosses, fromJson, toJson } from "../lib/regions";
import { toastFailure } from "../lib/toasts";
import { t } from "../lib/words";

const KINDS: Kind[] = ["region", "line", "mask", "privacy"];

/** Draw and edit regions, lines and masks over the reference picture; the hidden field always holds the document. */
export default class extends Controller<HTMLElement> {
  static override targets = ["stage", "field", "list", "message", "tool", "copy"];
  static override values = { pictureUrl: String, preset: Number, kinds: { type: Array, default: KINDS } };
  declare readonly stageTarget: HTMLDivElement;
  declare readonly fieldTarget: HTMLInputElement;
  declare readonly listTarget: HTMLElement;
  declare readonly messageTarget: HTMLElement;
  declare readonly toolTargets: HTMLButtonElement[];
  declare readonly pictureUrlValue: string;
  declare readonly presetValue: number;
  declare readonly kindsValue: Kind[];
  private model!: RegionModel;
  private canvas: RegionCanvas | null = null;
  private picture = new Image();
  private observer: ResizeObserver | null = null;
  private readonly keys = (event: KeyboardEvent): void => this.key(event);

  override connect(): void {
    this.model = new RegionModel(this.read(), () => this.changed());
    for (const tool of this.toolTargets) tool.hidden = !this.kindsValue.includes(tool.dataset["kind"] as Kind);
    this.picture = new Image();
    this.picture.onload = () => this.open();
    this.picture.onerror = () => this.say(t("region_no_picture"));
    this.picture.src = this.pictureUrlValue;
    document.addEventListener("keydown", this.keys);
    this.showList();
  }

  override disconnect(): void {
    document.removeEventListener("keydown", this.keys);
    this.observer?.disconnect();
    this.canvas?.destroy();
    this.canvas = null;
  }

  draw(event: Event): void {
    const kind = (event.currentTarget as HTMLElement).dataset["kind"] as Kind;
    if (this.canvas?.isDrawing) this.canvas.cancel();
    this.canvas?.begin(kind);
    this.press(kind);
    this.say(t("region_hint_draw"));
    this.stageTarget.focus();
  }

  undo(): void {
    this.model.undo();
  }

  redo(): void {
    this.model.redo();
  }

  /** Deletes the selected point, else the selected shape. */
  remove(): void {
    const { canvas } = this;
    if (!canvas || canvas.selected < 0) return;
    const shape = this.model.shapes[canvas.selected];
    if (canvas.selectedPoint >= 0 && shape && shape.points.length > (shape.kind === "line" ? 2 : 3)) {
      this.model.removePoint(canvas.selected, canvas.selectedPoint);
      canvas.selectedPoint = -1;
    } else {
      const index = canvas.selected;
      canvas.selected = -1;
      this.model.remove(index);
    }
    canvas.draw();
  }

  async copyFrom(event: Event): Promise<void> {
    const chooser = event.currentTarget as HTMLSelectElement;
    if (!chooser.value) return;
    try {
      const copied = fromJson(await getJson<unknown>(chooser.value)).filter(({ kind }) => this.kindsValue.includes(kind));
      this.model.change([...this.model.shapes, ...copied]);
    } catch (error) {
      toastFailure(error);
    } finally {
      chooser.value = "";
    }
  }

  private read(): Shape[] {
    try {
      return this.fieldTarget.value ? fromJson(JSON.parse(this.fieldTarget.value)) : [];
    } catch {
      return [];
    }
  }

  private open(): void {
    this.canvas = new RegionCanvas(this.stageTarget, this.picture, this.model, {
      selected: (index) => this.selected(index),
      drawn: () => this.press(null),
    });
    this.observer = new ResizeObserver(() => this.canvas?.fit());
    this.observer.observe(this.element);
    this.say(this.model.shapes.length ? t("region_hint_edit") : t("region_hint_draw"));
  }

  private changed(): void {
    const ref = { w: this.picture.naturalWidth, h: this.picture.naturalHeight };
    this.fieldTarget.value = JSON.stringify(toJson(this.model.shapes, this.presetValue, ref.w ? ref : undefined));
    this.fieldTarget.dispatchEvent(new Event("change", { bubbles: true }));
    if (this.canvas && this.canvas.selected >= this.model.shapes.length) this.canvas.selected = -1;
    this.canvas?.draw();
    this.showList();
    const wrong = this.model.shapes.some(({ kind, points }) => kind !== "line" && crosses(points));
    this.say(wrong ? t("region_crosses") : t("region_hint_edit"));
  }

  private selected(index: number): void {
    [...this.listTarget.children].forEach((item, at) => {
      if (at === index) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    });
  }

  private showList(): void {
    const numbers = new Map<Kind, number>();
    const items = this.model.shapes.map(({ kind, points }, index) => {
      const number = (numbers.get(kind) ?? 0) + 1;
      numbers.set(kind, number);
      const name = element("button", "", t(`region_${kind}`, { number }));
      name.type = "button";
      name.addEventListener("click", () => this.canvas?.select(index));
      const item = element("li", "", name, element("small", "", t("region_points", { count: points.length })));
      item.dataset["kind"] = kind;
      return item;
    });
    this.listTarget.replaceChildren(...items);
    if (this.canvas) this.selected(this.canvas.selected);
  }

  private press(kind: Kind | null): void {
    for (const tool of this.toolTargets) tool.setAttribute("aria-pressed", String(tool.dataset["kind"] === kind));
  }

  private key(event: KeyboardEvent): void {
    if (isTyping(event.target)) return;
    const command = event.ctrlKey || event.metaKey;
    const letter = event.key.toLowerCase();
    if (command && (letter === "y" || (letter === "z" && event.shiftKey))) this.redo();
    else if (command && letter === "z") this.undo();
    else if (event.key === "Escape" && this.canvas?.isDrawing) this.canvas.cancel();
    else if (event.key === "Enter" && this.canvas?.isDrawing) this.canvas.finish();
    else if (event.key === "Delete" || (event.key === "Backspace" && this.element.contains(document.activeElement))) this.remove();
    else return;
    event.preventDefault();
  }

  private say(text: string): void {
    this.messageTarget.textContent = text;
  }
}
