import { expect, test } from "vitest";
import { type Graph, depths, place, sizeOf } from "./graph";

const GRAPH: Graph = {
  nodes: ["in", "size", "region", "out"].map((id) => ({ id, component: `${id}@1` })),
  edges: [
    { from: "in:out", to: "size:in" },
    { from: "in:out", to: "region:in" },
    { from: "size:out", to: "out:in" },
    { from: "region:out", to: "out:in" },
  ],
};

test("puts each node behind all that lead to it", () => {
  expect(Object.fromEntries(depths(GRAPH))).toEqual({ in: 0, size: 1, region: 1, out: 2 });
});

test("no two nodes overlap", () => {
  const placed = place(GRAPH);
  expect(new Set(placed.map(({ x, y }) => `${x},${y}`)).size).toBe(4);
});

test("keeps positions that the graph brings", () => {
  const placed = place({ nodes: [{ id: "a", component: "a@1", at: [300, 80] }, { id: "b", component: "b@1", at: [80, 120] }], edges: [] });
  expect(placed.map(({ x, y }) => [x, y])).toEqual([[240, 20], [20, 60]]);
});

test("a cycle ends", () => {
  const cycle = { nodes: GRAPH.nodes, edges: [{ from: "in:o", to: "size:i" }, { from: "size:o", to: "in:i" }] };
  expect(Math.max(...depths(cycle).values())).toBeLessThan(4);
});

test("an empty graph has a size", () => {
  expect(sizeOf(place({ nodes: [], edges: [] })).width).toBeGreaterThan(0);
});
