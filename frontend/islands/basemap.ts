/** Draws a GeoJSON base map on canvas in the theme's colours and keeps it right when the theme changes. */
import L from "leaflet";
import type { Feature, FeatureCollection, Point } from "geojson";
import { LAYERS, kindOf, nameOf, roadWeight, splitBasemap } from "../lib/geo";

function colour(name: string | undefined): string {
  return name ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : "";
}

function styleOf(feature: Feature, zoom: number, edge: boolean): L.PathOptions {
  const kind = edge ? "road-edge" : kindOf(feature);
  const layer = LAYERS.find((known) => known.kind === kind);
  const road = kind === "road" || kind === "road-edge";
  const weight = road ? roadWeight(feature, zoom) + (edge ? 2 : 0) : (layer?.weight ?? 0);
  return {
    stroke: Boolean(layer?.stroke),
    color: colour(layer?.stroke),
    weight,
    dashArray: layer?.dash ?? "",
    fill: Boolean(layer?.fill),
    fillColor: colour(layer?.fill),
    fillOpacity: 1,
    lineCap: "round",
    lineJoin: "round",
  };
}

export class Basemap {
  private readonly layers: [layer: L.GeoJSON, edge: boolean][] = [];
  private readonly wordLayer = L.layerGroup();
  private words: Feature[] = [];
  private readonly repaint = (): void => {
    for (const [layer, edge] of this.layers) {
      layer.setStyle((feature) => styleOf(feature as Feature, this.map.getZoom(), edge));
    }
    this.showWords();
  };

  constructor(
    private readonly map: L.Map,
    basemap: FeatureCollection,
  ) {
    const pane = map.createPane("basemap");
    pane.classList.add("map-basemap");
    pane.style.zIndex = "150";
    const renderer = L.canvas({ pane: "basemap", padding: 0.3 });
    const { drawn, words } = splitBasemap(basemap);
    const roads = drawn.filter((feature) => kindOf(feature) === "road");
    const below = drawn.filter((feature) => kindOf(feature) !== "road");
    for (const [features, edge] of [[below, false], [roads, true], [roads, false]] as [Feature[], boolean][]) {
      const layer = L.geoJSON(features, {
        interactive: false,
        pane: "basemap",
        style: (feature) => styleOf(feature as Feature, map.getZoom(), edge),
        ...({ renderer } as object),
      });
      this.layers.push([layer.addTo(map), edge]);
    }
    this.words = words;
    this.wordLayer.addTo(map);
    this.showWords();
    map.on("zoomend", this.repaint);
    window.addEventListener("theme:changed", this.repaint);
  }

  destroy(): void {
    window.removeEventListener("theme:changed", this.repaint);
  }

  private showWords(): void {
    this.wordLayer.clearLayers();
    const zoom = this.map.getZoom();
    for (const feature of this.words) {
      if (zoom < Number(feature.properties?.["min_zoom"] ?? 12)) continue;
      const [lon, lat] = (feature.geometry as Point).coordinates as [number, number];
      const html = document.createElement("span");
      html.textContent = nameOf(feature, document.documentElement.lang);
      const icon = L.divIcon({ className: "map-word", html, iconSize: [160, 16] });
      this.wordLayer.addLayer(L.marker([lat, lon], { icon, interactive: false, keyboard: false, pane: "basemap" }));
    }
  }
}
