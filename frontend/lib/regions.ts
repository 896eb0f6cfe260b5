/** Regions, lines and masks of a scene: the model behind the editor. Points are 0..1 of the full frame, origin top
 * left. Pure: no canvas, no DOM. */

export type Point = [x: number, y: number];
export type Kind = "region" | "line" | "mask" | "privacy";

export interface Shape {
  kind: Kind;
  points: Point[];
}

export interface Size {
  w: number;
  h: number;
}

interface Stored {
  type: string;
  space?: string;
  preset?: number;
  ref?: Size;
  coordinates: Point[][] | Point[];
}

export interface RegionJson {
  regions: Stored[];
  lines: Stored[];
  masks: Stored[];
  privacy: Stored[];
}

const LISTS: Record<Kind, keyof RegionJson> = { region: "regions", line: "lines", mask: "masks", privacy: "privacy" };
const DIGITS = 5;

export function least(kind: Kind): number {
  return kind === "line" ? 2 : 3;
}

export function clamp([x, y]: Point): Point {
  return [Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y))];
}

function rounded([x, y]: Point): Point {
  return [Number(x.toFixed(DIGITS)), Number(y.toFixed(DIGITS))];
}

/** Document of the hidden field; rings are closed as GeoJSON wants. */
export function toJson(shapes: Shape[], preset: number, ref?: Size): RegionJson {
  const json: RegionJson = { regions: [], lines: [], masks: [], privacy: [] };
  for (const { kind, points } of shapes) {
    if (points.length < least(kind)) continue;
    const line = points.map(rounded);
    const common = { space: "image-norm", preset, ...(ref ? { ref } : {}) };
    if (kind === "line") json.lines.push({ type: "LineString", ...common, coordinates: line });
    else json[LISTS[kind]].push({ type: "Polygon", ...common, coordinates: [[...line, line[0] as Point]] });
  }
  return json;
}

/** Reads a document, a bare list of regions, or nothing; unreadable parts are left out. */
export function fromJson(value: unknown): Shape[] {
  if (Array.isArray(value)) return fromJson({ regions: value });
  if (typeof value !== "object" || value === null) return [];
  const document = value as Partial<RegionJson>;
  return (Object.entries(LISTS) as [Kind, keyof RegionJson][]).flatMap(([kind, list]) =>
    (Array.isArray(document[list]) ? (document[list] as Stored[]) : []).flatMap((stored) => shapeOf(kind, stored)),
  );
}

function shapeOf(kind: Kind, stored: Stored): Shape[] {
  const ring = (kind === "line" ? stored.coordinates : stored.coordinates?.[0]) as Point[] | undefined;
  if (!Array.isArray(ring)) return [];
  const points = ring.map(([x, y]): Point => clamp([Number(x), Number(y)]));
  const [first, last] = [points[0], points[points.length - 1]];
  if (kind !== "line" && first && last && points.length > 1 && first[0] === last[0] && first[1] === last[1]) points.pop();
  return points.length >= least(kind) ? [{ kind, points }] : [];
}

/** Where a point lands: on another vertex, on the frame's edge, or (with `straight`) level with `previous`. */
export function snap(point: Point, others: Point[], reach: number, previous?: Point, straight = false): Point {
  const near = others.find(([x, y]) => Math.hypot(x - point[0], y - point[1]) <= reach);
  if (near) return near;
  let [x, y] = clamp(point);
  if (straight && previous) {
    if (Math.abs(x - previous[0]) < Math.abs(y - previous[1])) x = previous[0];
    else y = previous[1];
  }
  if (x <= reach) x = 0;
  if (x >= 1 - reach) x = 1;
  if (y <= reach) y = 0;
  if (y >= 1 - reach) y = 1;
  return [x, y];
}

function side(a: Point, b: Point, c: Point): number {
  return Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
}

/** Whether a closed outline crosses itself. */
export function crosses(points: Point[]): boolean {
  const count = points.length;
  for (let i = 0; i < count; i += 1) {
    for (let j = i + 2; j < count; j += 1) {
      if (i === 0 && j === count - 1) continue;
      const [a, b] = [points[i] as Point, points[(i + 1) % count] as Point];
      const [c, d] = [points[j] as Point, points[(j + 1) % count] as Point];
      if (side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0) return true;
    }
  }
  return false;
}

/** Shapes with undo and redo. Every change goes through `change`, so that one step is one user action. */
export class RegionModel {
  private past: Shape[][] = [];
  private future: Shape[][] = [];

  constructor(
    public shapes: Shape[],
    private readonly changed: () => void = () => undefined,
  ) {}

  change(shapes: Shape[]): void {
    this.past.push(this.shapes);
    this.future = [];
    this.shapes = shapes;
    this.changed();
  }

  add(shape: Shape): void {
    this.change([...this.shapes, shape]);
  }

  remove(index: number): void {
    this.change(this.shapes.filter((_, at) => at !== index));
  }

  movePoint(index: number, at: number, point: Point): void {
    this.replace(index, (points) => points.map((old, here) => (here === at ? clamp(point) : old)));
  }

  insertPoint(index: number, after: number, point: Point): void {
    this.replace(index, (points) => [...points.slice(0, after + 1), clamp(point), ...points.slice(after + 1)]);
  }

  /** Takes a vertex away; a shape that would have too few keeps it. */
  removePoint(index: number, at: number): void {
    const shape = this.shapes[index];
    if (!shape || shape.points.length <= least(shape.kind)) return;
    this.replace(index, (points) => points.filter((_, here) => here !== at));
  }

  move(index: number, [dx, dy]: Point): void {
    const shape = this.shapes[index];
    if (!shape) return;
    const [xs, ys] = [shape.points.map(([x]) => x), shape.points.map(([, y]) => y)];
    const x = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), dx));
    const y = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), dy));
    this.replace(index, (points) => points.map((point): Point => [point[0] + x, point[1] + y]));
  }

  undo(): boolean {
    return this.step(this.past, this.future);
  }

  redo(): boolean {
    return this.step(this.future, this.past);
  }

  private step(from: Shape[][], to: Shape[][]): boolean {
    const shapes = from.pop();
    if (!shapes) return false;
    to.push(this.shapes);
    this.shapes = shapes;
    this.changed();
    return true;
  }

  private replace(index: number, edit: (points: Point[]) => Point[]): void {
    this.change(this.shapes.map((shape, at) => (at === index ? { ...shape, points: edit(shape.points) } : shape)));
  }
}
