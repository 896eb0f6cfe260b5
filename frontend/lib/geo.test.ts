import { expect, test } from "vitest";
import { camerasUrl, clusterTone, contains, grown, kindOf, nameOf, shapeOf, splitBasemap } from "./geo";
import type { Feature } from "geojson";

const feature = (type: "Polygon" | "LineString" | "Point", properties: Record<string, unknown>): Feature => ({
  type: "Feature",
  geometry: { type, coordinates: [] } as unknown as Feature["geometry"],
  properties,
});

test("asks for a box with the page's filters, without its page keys", () => {
  const url = camerasUrl("/devices/map.json?owner=1", "?state=online&after=abc&tag=a&tag=b", [1, 2, 3, 4], 13.4);
  const query = new URL(url, "http://x").searchParams;
  expect(query.getAll("tag")).toEqual(["a", "b"]);
  expect(query.get("after")).toBeNull();
  expect(query.get("owner")).toBe("1");
  expect(query.get("bbox")).toBe("1.000000,2.000000,3.000000,4.000000");
  expect(query.get("zoom")).toBe("13");
});

test("a grown box contains its own", () => {
  expect(contains(grown([0, 0, 2, 2], 0.25), [0, 0, 2, 2])).toBe(true);
  expect(contains([0, 0, 2, 2], grown([0, 0, 2, 2], 0.25))).toBe(false);
});

test("draws water below roads and keeps words apart", () => {
  const map = {
    type: "FeatureCollection" as const,
    features: [feature("LineString", { kind: "road" }), feature("Point", { name: "桥" }), feature("Polygon", { kind: "water" })],
  };
  const { drawn, words } = splitBasemap(map);
  expect(drawn.map(kindOf)).toEqual(["water", "road"]);
  expect(words).toHaveLength(1);
});

test("names a place in the page's language", () => {
  const place = feature("Point", { name: "x", name_zh: "人民路", name_en: "People's Road" });
  expect(nameOf(place, "zh-hans")).toBe("人民路");
  expect(nameOf(place, "en")).toBe("People's Road");
});

test.each([
  [10, 10, "is-mostly-online"],
  [5, 10, "is-mixed"],
  [0, 10, "is-offline"],
])("%i of %i online is %s", (online, count, tone) => expect(clusterTone(online, count)).toBe(tone));

test("a circle keeps its radius in metres", () => {
  const shape = shapeOf("Circle", { type: "Point", coordinates: [120, 30] }, 250.4);
  expect(shape.properties).toEqual({ kind: "circle", radius: 250 });
});
