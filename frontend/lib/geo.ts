/** What the map reads and writes; positions are WGS-84 degrees. No Leaflet in here. */
import type { Feature, FeatureCollection, Geometry } from "geojson";

export interface CameraPoint {
  id: string;
  name: string;
  lon: number;
  lat: number;
  state: string;
  [more: string]: unknown;
}

export interface ServerCluster {
  lon: number;
  lat: number;
  count: number;
  online: number;
}

export interface CameraAnswer {
  cameras: CameraPoint[];
  clusters: ServerCluster[];
}

export type Box = [west: number, south: number, east: number, north: number];

export interface Layer {
  kind: string;
  fill?: string;
  stroke?: string;
  weight?: number;
  dash?: string;
}

/** How each kind of base map feature is drawn, bottom first; values are names of style sheet variables. */
export const LAYERS: Layer[] = [
  { kind: "land", fill: "--map-land" },
  { kind: "water", fill: "--map-water" },
  { kind: "river", stroke: "--map-water", weight: 6 },
  { kind: "park", fill: "--map-green" },
  { kind: "green", fill: "--map-green" },
  { kind: "square", fill: "--map-building" },
  { kind: "building", fill: "--map-building", stroke: "--map-road-edge", weight: 1 },
  { kind: "road-edge", stroke: "--map-road-edge" },
  { kind: "road", stroke: "--map-road" },
  { kind: "rail", stroke: "--map-word", weight: 1.5, dash: "6 4" },
  { kind: "boundary", stroke: "--map-word", weight: 1, dash: "4 4" },
];

export function kindOf(feature: Feature): string {
  const properties = feature.properties ?? {};
  const kind = String(properties["kind"] ?? properties["class"] ?? properties["type"] ?? "");
  if (LAYERS.some((layer) => layer.kind === kind)) return kind;
  if (/street|road|highway|avenue|lane/.test(kind)) return "road";
  if (/lake|sea|pond/.test(kind)) return "water";
  return feature.geometry.type.includes("Polygon") ? "land" : "road";
}

/** Width of a road in pixels at a zoom, by its rank (major, minor or a number 1 to 3). */
export function roadWeight(feature: Feature, zoom: number): number {
  const properties = feature.properties ?? {};
  const rank = String(properties["rank"] ?? properties["class"] ?? properties["level"] ?? "");
  const base = /major|primary|main|trunk|^1$/.test(rank) ? 7 : /minor|lane|path|service|^3$/.test(rank) ? 2.5 : 4.5;
  return Math.max(0.6, base * 2 ** ((zoom - 15) * 0.6));
}

export function isWord(feature: Feature): boolean {
  return feature.geometry.type === "Point";
}

/** Splits a base map into its areas and lines, sorted bottom first, and its words. */
export function splitBasemap(map: FeatureCollection): { drawn: Feature[]; words: Feature[] } {
  const rank = new Map(LAYERS.map((layer, index) => [layer.kind, index]));
  const drawn = map.features.filter((feature) => !isWord(feature));
  drawn.sort((a, b) => (rank.get(kindOf(a)) ?? 0) - (rank.get(kindOf(b)) ?? 0));
  return { drawn, words: map.features.filter(isWord) };
}

export function nameOf(feature: Feature, language: string): string {
  const properties = feature.properties ?? {};
  const own = language.startsWith("zh") ? properties["name_zh"] : properties["name_en"];
  return String(own ?? properties["name"] ?? "");
}

/** The address of the cameras in a box; the page's own filters go along, so that list and map agree. */
export function camerasUrl(base: string, query: string, box: Box, zoom: number): string {
  const [path = "", own = ""] = base.split("?");
  const parameters = new URLSearchParams(own);
  new URLSearchParams(query).forEach((value, key) => {
    if (!["after", "before", "bbox", "zoom"].includes(key)) parameters.append(key, value);
  });
  parameters.set("bbox", box.map((value) => value.toFixed(6)).join(","));
  parameters.set("zoom", String(Math.round(zoom)));
  return `${path}?${parameters.toString()}`;
}

/** A box enlarged by a share of its size, so that a small move needs no new request. */
export function grown([west, south, east, north]: Box, by: number): Box {
  const [dx, dy] = [(east - west) * by, (north - south) * by];
  return [west - dx, south - dy, east + dx, north + dy];
}

export function contains(outer: Box, inner: Box): boolean {
  return outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3];
}

export function clusterTone(online: number, count: number): string {
  if (online >= count * 0.95) return "is-mostly-online";
  return online > 0 ? "is-mixed" : "is-offline";
}

/** What a drawn shape is as GeoJSON; a circle is a point with its radius in metres. */
export function shapeOf(kind: string, geometry: Geometry, radius?: number): Feature {
  const properties: Record<string, unknown> = { kind: kind.toLowerCase() };
  if (radius !== undefined) properties["radius"] = Math.round(radius);
  return { type: "Feature", geometry, properties };
}
