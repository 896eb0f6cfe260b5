import { Controller } from "@hotwired/stimulus";
import { element, svg } from "../lib/dom";
import { t } from "../lib/words";

interface Detection {
  label: string;
  score: number;
  box: [x: number, y: number, w: number, h: number];
}
interface Region {
  coordinates: [number, number][][];
}

const LARGEST = 8;

/** A picture with zoom (wheel, keys, buttons), drag, and its boxes and regions as a layer on demand. */
export default class extends Controller<HTMLElement> {
  static override targets = ["frame", "image", "toggle"];
  static override values = { boxes: { type: Array, default: [] }, regions: { type: Array, default: [] } };
  declare readonly frameTarget: HTMLElement;
  declare readonly imageTarget: HTMLImageElement;
  declare readonly toggleTarget: HTMLElement;
  declare readonly hasToggleTarget: boolean;
  declare readonly boxesValue: Detection[];
  declare readonly regionsValue: Region[];
  private scale = 1;
  private x = 0;
  private y = 0;
  private overlay: HTMLElement[] = [];
  private drag: { x: number; y: number } | null = null;
  private readonly wheel = (event: WheelEvent): void => {
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? 1.25 : 0.8, event.clientX, event.clientY);
  };
  private readonly down = (event: PointerEvent): void => {
    if (this.scale === 1 || (event.target as HTMLElement).closest("button")) return;
    event.preventDefault();
    this.drag = { x: event.clientX - this.x, y: event.clientY - this.y };
    this.element.setPointerCapture(event.pointerId);
  };
  private readonly move = (event: PointerEvent): void => {
    if (!this.drag) return;
    this.x = event.clientX - this.drag.x;
    this.y = event.clientY - this.drag.y;
    this.apply();
  };
  private readonly up = (): void => {
    this.drag = null;
  };

  override connect(): void {
    this.element.addEventListener("wheel", this.wheel, { passive: false });
    this.element.addEventListener("pointerdown", this.down);
    this.element.addEventListener("pointermove", this.move);
    this.element.addEventListener("pointerup", this.up);
    this.draw();
  }

  override disconnect(): void {
    this.element.removeEventListener("wheel", this.wheel);
    this.element.removeEventListener("pointerdown", this.down);
    this.element.removeEventListener("pointermove", this.move);
    this.element.removeEventListener("pointerup", this.up);
    this.overlay.splice(0).forEach((layer) => layer.remove());
  }

  zoomIn(): void {
    this.zoom(1.5);
  }

  zoomOut(): void {
    this.zoom(1 / 1.5);
  }

  fit(): void {
    this.scale = 1;
    this.x = this.y = 0;
    this.apply();
  }

  /** Space in the workbench: between the whole picture and its first box. */
  flip(): void {
    const [first] = this.boxesValue;
    if (this.scale > 1 || !first) {
      if (this.scale > 1) this.fit();
      else this.zoom(2.5);
      return;
    }
    const [x, y, w, h] = first.box;
    const { width, height } = this.imageTarget.getBoundingClientRect();
    this.scale = Math.min(LARGEST, Math.max(1.5, 0.5 / Math.max(w, h, 0.01)));
    this.x = width / 2 - (x + w / 2) * width * this.scale;
    this.y = height / 2 - (y + h / 2) * height * this.scale;
    this.apply();
  }

  toggle(): void {
    const shown = this.overlay.some((layer) => !layer.hidden);
    for (const layer of this.overlay) layer.hidden = shown;
    if (this.hasToggleTarget) this.toggleTarget.setAttribute("aria-pressed", String(!shown));
  }

  private zoom(by: number, clientX?: number, clientY?: number): void {
    const box = this.element.getBoundingClientRect();
    const [atX, atY] = [(clientX ?? box.left + box.width / 2) - box.left, (clientY ?? box.top + box.height / 2) - box.top];
    const scale = Math.min(LARGEST, Math.max(1, this.scale * by));
    const [left, top] = [this.frameTarget.offsetLeft, this.frameTarget.offsetTop];
    this.x = atX - left - ((atX - left - this.x) * scale) / this.scale;
    this.y = atY - top - ((atY - top - this.y) * scale) / this.scale;
    this.scale = scale;
    if (scale === 1) this.x = this.y = 0;
    this.apply();
  }

  private apply(): void {
    this.frameTarget.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
  }

  private draw(): void {
    if (!this.boxesValue.length && !this.regionsValue.length) return;
    const layer = svg("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", class: "picture-overlay" });
    for (const region of this.regionsValue) {
      const [ring = []] = region.coordinates;
      layer.append(svg("polygon", { points: ring.map(([x, y]) => `${x},${y}`).join(" ") }));
    }
    const words: HTMLElement[] = [];
    for (const { label, score, box } of this.boxesValue) {
      const [x, y, width, height] = box;
      layer.append(svg("rect", { x, y, width, height }));
      const word = element("span", "picture-word", t("box_score", { label, score: score.toFixed(2) }));
      word.style.left = `${x * 100}%`;
      word.style.top = `${Math.max(y * 100, 3)}%`;
      words.push(word);
    }
    const holder = element("div", "picture-layer", layer, ...words);
    this.overlay = [holder];
    this.frameTarget.append(holder);
  }
}
