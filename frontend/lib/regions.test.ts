import { expect, test } from "vitest";
import { type Point, RegionModel, type Shape, crosses, fromJson, snap, toJson } from "./regions";

const SQUARE: Point[] = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.5]];
const region = (points: Point[] = SQUARE): Shape => ({ kind: "region", points });

test("writes closed rings of 0..1 with the preset and the picture's size", () => {
  expect(toJson([region()], 2, { w: 1920, h: 1080 }).regions).toEqual([
    {
      type: "Polygon",
      space: "image-norm",
      preset: 2,
      ref: { w: 1920, h: 1080 },
      coordinates: [[...SQUARE, SQUARE[0]]],
    },
  ]);
});

test("reads back what it wrote", () => {
  const shapes: Shape[] = [
    region(),
    { kind: "line", points: [[0, 0], [1, 1]] },
    { kind: "mask", points: [[0, 0], [1, 0], [1, 1]] },
    { kind: "privacy", points: [[0.2, 0.2], [0.3, 0.2], [0.3, 0.4]] },
  ];
  expect(fromJson(toJson(shapes, 0))).toEqual(shapes);
});

test("a bare list is a list of regions", () => {
  expect(fromJson(toJson([region()], 0).regions)).toEqual([region()]);
});

test.each([null, 3, "x", {}, { regions: [{ coordinates: null }] }, { regions: [{ coordinates: [[[0, 0], [1, 1]]] }] }])(
  "makes nothing out of %j",
  (value) => expect(fromJson(value)).toEqual([]),
);

test("pulls points into the frame", () => {
  const [shape] = fromJson([{ type: "Polygon", coordinates: [[[-1, 0], [2, 0], [0.5, 9]]] }]);
  expect(shape?.points).toEqual([[0, 0], [1, 0], [0.5, 1]]);
});

test("undo and redo walk through the changes; a new change ends redo", () => {
  const model = new RegionModel([]);
  model.add(region());
  model.movePoint(0, 0, [0.2, 0.2]);
  expect(model.undo()).toBe(true);
  expect(model.shapes[0]?.points[0]).toEqual([0.1, 0.1]);
  expect(model.redo()).toBe(true);
  expect(model.shapes[0]?.points[0]).toEqual([0.2, 0.2]);
  model.undo();
  model.remove(0);
  expect(model.redo()).toBe(false);
  model.undo();
  expect(model.shapes).toHaveLength(1);
});

test("a vertex can be added and taken away, but a region keeps three", () => {
  const model = new RegionModel([region()]);
  model.insertPoint(0, 0, [0.3, 0.05]);
  expect(model.shapes[0]?.points[1]).toEqual([0.3, 0.05]);
  for (let time = 0; time < 4; time += 1) model.removePoint(0, 0);
  expect(model.shapes[0]?.points).toHaveLength(3);
});

test("a whole shape stops at the frame's edge", () => {
  const model = new RegionModel([region()]);
  model.move(0, [0.9, -0.9]);
  const points = model.shapes[0]?.points ?? [];
  expect(Math.max(...points.map(([x]) => x))).toBeCloseTo(1);
  expect(Math.min(...points.map(([, y]) => y))).toBeCloseTo(0);
});

test.each<[string, Point, Point]>([
  ["another vertex", [0.505, 0.5], [0.5, 0.5]],
  ["the left edge", [0.006, 0.4], [0, 0.4]],
  ["the lower edge", [0.4, 0.995], [0.4, 1]],
  ["nothing", [0.3, 0.3], [0.3, 0.3]],
])("snaps to %s", (_, point, expected) => {
  expect(snap(point, SQUARE, 0.01)).toEqual(expected);
});

test("with Shift a point is level with the one before", () => {
  expect(snap([0.7, 0.32], [], 0.01, [0.2, 0.3], true)).toEqual([0.7, 0.3]);
});

test.each<[boolean, Point[]]>([
  [false, SQUARE],
  [true, [[0.1, 0.1], [0.5, 0.5], [0.5, 0.1], [0.1, 0.5]]],
])("crossing itself: %s", (expected, points) => {
  expect(crosses(points)).toBe(expected);
});
