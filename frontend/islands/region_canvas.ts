/** The canvas of the region editor: draws the shapes of a RegionModel over a picture with Konva and turns clicks and
 * drags into changes of the model. */
import Konva from "konva";
import { type Kind, type Point, type RegionModel, type Shape, least, snap } from "../lib/regions";

const COLOURS: Record<Kind, string> = { region: "#4c9aff", line: "#f0b429", mask: "#9aa7b6", privacy: "#20262e" };
const REACH_PX = 9;

export interface CanvasEvents {
  selected(index: number): void;
  drawn(): void;
}

export class RegionCanvas {
  private readonly stage: Konva.Stage;
  private readonly layer = new Konva.Layer();
  private readonly backdrop = new Konva.Layer({ listening: false });
  private drawing: { kind: Kind; points: Point[] } | null = null;
  private pointer: Point | null = null;
  selected = -1;
  selectedPoint = -1;

  constructor(
    private readonly holder: HTMLDivElement,
    private readonly picture: HTMLImageElement,
    private readonly model: RegionModel,
    private readonly events: CanvasEvents,
  ) {
    this.stage = new Konva.Stage({ container: holder, width: 10, height: 10 });
    this.stage.add(this.backdrop, this.layer);
    this.stage.on("click tap", (event) => this.clicked(event));
    this.stage.on("dblclick dbltap", () => this.finish());
    this.stage.on("mousemove touchmove", () => this.moved());
    this.fit();
  }

  destroy(): void {
    this.stage.destroy();
  }

  /** Fills the holder's width; the picture keeps its proportions. */
  fit(): void {
    const width = Math.max(200, this.holder.clientWidth);
    const height = Math.round((width * this.picture.naturalHeight) / Math.max(1, this.picture.naturalWidth));
    this.stage.size({ width, height });
    this.backdrop.destroyChildren();
    this.backdrop.add(new Konva.Image({ image: this.picture, width, height }));
    this.draw();
  }

  begin(kind: Kind): void {
    this.drawing = { kind, points: [] };
    this.select(-1);
    this.holder.classList.add("is-drawing");
  }

  cancel(): void {
    this.drawing = null;
    this.holder.classList.remove("is-drawing");
    this.draw();
    this.events.drawn();
  }

  finish(): void {
    const { drawing } = this;
    if (!drawing) return;
    if (drawing.points.length >= least(drawing.kind)) {
      this.model.add(drawing);
      this.selected = this.model.shapes.length - 1;
      this.events.selected(this.selected);
    }
    this.cancel();
  }

  get isDrawing(): boolean {
    return this.drawing !== null;
  }

  select(index: number): void {
    this.selected = index;
    this.selectedPoint = -1;
    this.events.selected(index);
    this.draw();
  }

  draw(): void {
    this.layer.destroyChildren();
    this.model.shapes.forEach((shape, index) => this.drawShape(shape, index));
    if (this.drawing) this.drawUnfinished(this.drawing);
    const shape = this.model.shapes[this.selected];
    if (shape && !this.drawing) this.drawHandles(shape, this.selected);
    this.layer.batchDraw();
  }

  private toPixels(points: Point[]): number[] {
    return points.flatMap(([x, y]) => [x * this.stage.width(), y * this.stage.height()]);
  }

  private toPoint({ x, y }: { x: number; y: number }): Point {
    return [x / this.stage.width(), y / this.stage.height()];
  }

  private snapped(point: Point, except?: [shape: number, at: number], straight = false): Point {
    const others = this.model.shapes.flatMap(({ points }, shape) =>
      points.filter((_, at) => !except || except[0] !== shape || except[1] !== at),
    );
    const own = this.drawing?.points ?? [];
    return snap(point, others, REACH_PX / this.stage.width(), own[own.length - 1], straight);
  }

  private drawShape({ kind, points }: Shape, index: number): void {
    const line = new Konva.Line({
      points: this.toPixels(points),
      closed: kind !== "line",
      stroke: COLOURS[kind],
      strokeWidth: index === this.selected ? 3 : 2,
      dash: kind === "mask" ? [6, 4] : [],
      fill: kind === "line" ? "" : `${COLOURS[kind]}${kind === "privacy" ? "d0" : "38"}`,
      hitStrokeWidth: 12,
      draggable: index === this.selected && !this.drawing,
    });
    line.on("mousedown touchstart", () => {
      if (!this.drawing && this.selected !== index) this.select(index);
    });
    line.on("dragend", () => this.model.move(index, this.toPoint(line.position())));
    this.layer.add(line);
  }

  private drawUnfinished({ kind, points }: Shape): void {
    const shown = this.pointer ? [...points, this.pointer] : points;
    this.layer.add(
      new Konva.Line({ points: this.toPixels(shown), stroke: COLOURS[kind], strokeWidth: 2, dash: [4, 4], listening: false }),
    );
    for (const point of points) this.layer.add(this.dot(point, 4, "#fff", false));
  }

  private dot([x, y]: Point, radius: number, fill: string, listening: boolean): Konva.Circle {
    return new Konva.Circle({
      x: x * this.stage.width(),
      y: y * this.stage.height(),
      radius,
      fill,
      stroke: "#1f5fbf",
      strokeWidth: 1.5,
      hitStrokeWidth: 12,
      listening,
      draggable: listening,
    });
  }

  /** Vertices to drag, and smaller dots in the middle of each edge that become new vertices. */
  private drawHandles({ kind, points }: Shape, index: number): void {
    points.forEach((point, at) => {
      const next = points[(at + 1) % points.length] as Point;
      if (kind !== "line" || at < points.length - 1) this.drawMiddle(index, at, point, next);
    });
    points.forEach((point, at) => {
      const handle = this.dot(point, 6, at === this.selectedPoint ? "#f0b429" : "#fff", true);
      handle.on("mousedown touchstart", () => {
        this.selectedPoint = at;
      });
      handle.on("dragmove", ({ evt }) => this.preview(handle, index, at, Boolean((evt as MouseEvent).shiftKey)));
      handle.on("dragend", () => this.model.movePoint(index, at, this.toPoint(handle.position())));
      handle.on("click tap", () => this.draw());
      this.layer.add(handle);
    });
  }

  private drawMiddle(index: number, at: number, [ax, ay]: Point, [bx, by]: Point): void {
    const middle: Point = [(ax + bx) / 2, (ay + by) / 2];
    const handle = this.dot(middle, 4, "#4c9aff", true);
    handle.on("click tap", () => this.model.insertPoint(index, at, middle));
    handle.on("dragend", () => this.model.insertPoint(index, at, this.toPoint(handle.position())));
    this.layer.add(handle);
  }

  private preview(handle: Konva.Circle, index: number, at: number, straight: boolean): void {
    const [x, y] = this.snapped(this.toPoint(handle.position()), [index, at], straight);
    handle.position({ x: x * this.stage.width(), y: y * this.stage.height() });
  }

  private moved(): void {
    if (!this.drawing) return;
    const position = this.stage.getPointerPosition();
    this.pointer = position ? this.snapped(this.toPoint(position)) : null;
    this.draw();
  }

  private clicked(event: Konva.KonvaEventObject<MouseEvent | TouchEvent>): void {
    const position = this.stage.getPointerPosition();
    if (!this.drawing || !position) {
      if (event.target === this.stage) this.select(-1);
      return;
    }
    const straight = "shiftKey" in event.evt && event.evt.shiftKey;
    const point = this.snapped(this.toPoint(position), undefined, straight);
    const { points } = this.drawing;
    const first = points[0];
    const last = points[points.length - 1];
    if (last && last[0] === point[0] && last[1] === point[1]) return;
    if (first && points.length >= 3 && this.near(first, point)) {
      this.finish();
      return;
    }
    points.push(point);
    this.draw();
  }

  private near([ax, ay]: Point, [bx, by]: Point): boolean {
    return Math.hypot((ax - bx) * this.stage.width(), (ay - by) * this.stage.height()) < REACH_PX;
  }
}
