/** Drawing a polygon, box or circle on the map with Geoman; there is one shape at a time. */
import L from "leaflet";
import "@geoman-io/leaflet-geoman-free";
import "@geoman-io/leaflet-geoman-free/dist/leaflet-geoman.css";
import type { Feature, Geometry, Point } from "geojson";
import { shapeOf } from "../lib/geo";

export class Drawing {
  private shape: L.Layer | null = null;

  constructor(
    private readonly map: L.Map,
    kinds: string[],
    private readonly changed: (shape: Feature | null) => void,
  ) {
    map.pm.setLang(document.documentElement.lang.startsWith("zh") ? "zh" : "en");
    map.pm.addControls({
      position: "topright",
      drawMarker: false,
      drawPolyline: false,
      drawCircleMarker: false,
      drawText: false,
      cutPolygon: false,
      rotateMode: false,
      dragMode: false,
      drawPolygon: kinds.includes("polygon"),
      drawRectangle: kinds.includes("box"),
      drawCircle: kinds.includes("circle"),
    });
    map.pm.setPathOptions({ color: "#1f5fbf", weight: 2, fillOpacity: 0.08 });
    map.on("pm:create", ({ layer, shape }) => this.take(layer, shape));
    map.on("pm:remove", () => this.drop());
  }

  /** Shows a shape that the URL brought. */
  show(feature: Feature): void {
    const radius = Number(feature.properties?.["radius"] ?? 0);
    if (feature.geometry.type === "Point" && radius) {
      const [lon, lat] = (feature.geometry as Point).coordinates as [number, number];
      this.keep(L.circle([lat, lon], { radius }).addTo(this.map), "circle");
    } else {
      const [layer] = L.geoJSON(feature).addTo(this.map).getLayers();
      if (layer) this.keep(layer, String(feature.properties?.["kind"] ?? "polygon"));
    }
  }

  private take(layer: L.Layer, kind: string): void {
    this.keep(layer, kind);
    this.tell(layer, kind);
  }

  private keep(layer: L.Layer, kind: string): void {
    if (this.shape && this.shape !== layer) this.map.removeLayer(this.shape);
    this.shape = layer;
    layer.on("pm:update", () => this.tell(layer, kind));
  }

  private tell(layer: L.Layer, kind: string): void {
    const geometry = (layer as unknown as { toGeoJSON(): Feature }).toGeoJSON().geometry as Geometry;
    const radius = layer instanceof L.Circle ? layer.getRadius() : undefined;
    this.changed(shapeOf(kind === "Rectangle" ? "box" : kind, geometry, radius));
  }

  private drop(): void {
    this.shape = null;
    this.changed(null);
  }
}
