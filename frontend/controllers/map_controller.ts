import { Controller } from "@hotwired/stimulus";
import L from "leaflet";
import type { Feature, FeatureCollection } from "geojson";
import { Basemap } from "../islands/basemap";
import { CameraLayer } from "../islands/cameras";
import { EventMarkers } from "../islands/event_markers";
import { fillAddress, fillTemplate } from "../lib/dom";
import { type Box, type CameraAnswer, type CameraPoint, camerasUrl, contains, grown } from "../lib/geo";
import { getJson } from "../lib/http";
import { type Allowed, fits, type LiveMessage } from "../lib/live";
import { t } from "../lib/words";

/** The map: own vector base map, cameras of the view, drawing, live events; in step with a list beside it. */
export default class extends Controller<HTMLElement> {
  static override targets = ["canvas", "popup", "list", "message", "shape"];
  static override values = {
    camerasUrl: String,
    basemapUrl: String,
    tilesUrl: String,
    centre: String,
    zoom: { type: Number, default: 13 },
    draw: { type: Array, default: [] },
    shape: { type: Object, default: {} },
    live: Boolean,
    events: { type: Array, default: [] },
    filter: { type: Object, default: {} },
    liveLink: { type: String, default: "/events/{id}/" },
    link: String,
    pointInput: String,
    cluster: { type: Boolean, default: true },
  };
  declare readonly canvasTarget: HTMLElement;
  declare readonly popupTarget: HTMLTemplateElement;
  declare readonly hasPopupTarget: boolean;
  declare readonly listTarget: HTMLElement;
  declare readonly hasListTarget: boolean;
  declare readonly messageTarget: HTMLElement;
  declare readonly hasMessageTarget: boolean;
  declare readonly shapeTarget: HTMLInputElement;
  declare readonly hasShapeTarget: boolean;
  declare readonly camerasUrlValue: string;
  declare readonly basemapUrlValue: string;
  declare readonly tilesUrlValue: string;
  declare readonly centreValue: string;
  declare readonly zoomValue: number;
  declare readonly drawValue: string[];
  declare readonly shapeValue: Feature;
  declare readonly liveValue: boolean;
  declare readonly eventsValue: Record<string, unknown>[];
  declare readonly filterValue: Allowed;
  declare readonly liveLinkValue: string;
  declare readonly linkValue: string;
  declare readonly pointInputValue: string;
  declare readonly clusterValue: boolean;
  private map: L.Map | null = null;
  private cameras!: CameraLayer;
  private events: EventMarkers | null = null;
  private basemap: Basemap | null = null;
  private loading: AbortController | null = null;
  private loaded: { box: Box; zoom: number; query: string } | null = null;
  private point: L.Marker | null = null;
  private observer: ResizeObserver | null = null;

  private readonly hear = (event: Event): void => this.receive((event as CustomEvent<LiveMessage>).detail);
  private readonly hovered = (event: Event): void => this.follow(event);
  private readonly reload = (): void => void this.load();

  override connect(): void {
    void this.start();
  }

  /** The drawing tools hook into Leaflet when they load, so they come before the map that uses them. */
  private async start(): Promise<void> {
    const tools = this.drawValue.length ? await import("../islands/drawing") : null;
    if (!this.element.isConnected || this.map) return;
    const [lat = 30, lon = 120] = this.centreValue.split(",").map(Number);
    const map = L.map(this.canvasTarget, { center: [lat, lon], zoom: this.zoomValue, zoomControl: false, maxZoom: 19 });
    this.map = map;
    L.control.zoom({ zoomInTitle: t("map_zoom_in"), zoomOutTitle: t("map_zoom_out"), position: "topright" }).addTo(map);
    map.attributionControl?.setPrefix(false);
    if (this.tilesUrlValue) L.tileLayer(this.tilesUrlValue, { maxZoom: 19 }).addTo(map);
    this.cameras = new CameraLayer(map, (camera, marker) => this.open(camera, marker), this.clusterValue);
    if (this.liveValue) {
      this.events = new EventMarkers(map, this.liveLinkValue);
      this.events.addKnown(this.eventsValue);
    }
    map.on("moveend", () => this.moved(map));
    map.on("click", (event) => this.setPoint(event.latlng));
    window.addEventListener("live:message", this.hear);
    document.body.addEventListener("htmx:afterSettle", this.reload);
    this.watchList();
    this.observer = new ResizeObserver(() => map.invalidateSize());
    this.observer.observe(this.canvasTarget);
    void this.drawBasemap(map);
    if (tools) this.startDrawing(map, tools.Drawing);
    this.showPoint();
    void this.load();
  }

  override disconnect(): void {
    window.removeEventListener("live:message", this.hear);
    document.body.removeEventListener("htmx:afterSettle", this.reload);
    this.list()?.removeEventListener("mouseover", this.hovered);
    this.list()?.removeEventListener("focusin", this.hovered);
    this.observer?.disconnect();
    this.loading?.abort();
    this.basemap?.destroy();
    this.map?.remove();
    this.map = null;
  }

  private async drawBasemap(map: L.Map): Promise<void> {
    if (!this.basemapUrlValue) return;
    try {
      const basemap = await getJson<FeatureCollection>(this.basemapUrlValue);
      if (this.map === map) this.basemap = new Basemap(map, basemap);
    } catch {
      this.say(t("map_no_basemap"));
    }
  }

  private startDrawing(map: L.Map, Drawing: typeof import("../islands/drawing").Drawing): void {
    const drawing = new Drawing(map, this.drawValue, (shape) => {
      if (this.hasShapeTarget) {
        this.shapeTarget.value = shape ? JSON.stringify(shape) : "";
        this.shapeTarget.dispatchEvent(new Event("change", { bubbles: true }));
      }
      this.dispatch("shape", { detail: { shape } });
    });
    if (this.shapeValue.geometry) drawing.show(this.shapeValue);
  }

  private moved(map: L.Map): void {
    const centre = map.getCenter();
    this.dispatch("moved", { detail: { lat: centre.lat, lon: centre.lng, zoom: map.getZoom() } });
    void this.load();
  }

  private view(map: L.Map): Box {
    const bounds = map.getBounds();
    return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  }

  /** Loads the cameras of the view with a margin; a newer request ends an older one. */
  private async load(): Promise<void> {
    const { map } = this;
    if (!map || !this.camerasUrlValue) return;
    const zoom = map.getZoom();
    const query = location.search;
    const { loaded } = this;
    if (loaded?.query === query && loaded.zoom === zoom && contains(loaded.box, this.view(map))) return;
    const box = grown(this.view(map), 0.25);
    this.loading?.abort();
    const loading = new AbortController();
    this.loading = loading;
    try {
      const url = camerasUrl(this.camerasUrlValue, query, box, zoom);
      const answer = await getJson<CameraAnswer>(url, loading.signal);
      this.cameras.show({ cameras: answer.cameras ?? [], clusters: answer.clusters ?? [] });
      this.loaded = { box, zoom, query };
      this.say("");
    } catch (error) {
      if (!(error instanceof DOMException)) this.say(t("map_cameras_failed"));
    }
  }

  private open(camera: CameraPoint, marker: L.Marker): void {
    this.select(camera.id);
    if (!this.map || !this.hasPopupTarget) return;
    const link = this.linkValue ? fillAddress(this.linkValue, camera) : String(camera["link"] ?? "");
    const card = fillTemplate(this.popupTarget, { state_label: camera.state, ...camera, link });
    L.popup({ minWidth: 220 }).setLatLng(marker.getLatLng()).setContent(card).openOn(this.map);
  }

  private select(id: string): void {
    this.cameras.mark(id);
    this.dispatch("selected", { detail: { id } });
    for (const item of this.list()?.querySelectorAll<HTMLElement>("[data-camera-id]") ?? []) {
      const here = item.dataset["cameraId"] === id;
      item.classList.toggle("is-marked", here);
      if (here) item.scrollIntoView({ block: "nearest" });
    }
  }

  /** The list may stand outside the controller's element: then it carries data-map-list. */
  private list(): HTMLElement | null {
    return this.hasListTarget ? this.listTarget : document.querySelector<HTMLElement>("[data-map-list]");
  }

  private watchList(): void {
    this.list()?.addEventListener("mouseover", this.hovered);
    this.list()?.addEventListener("focusin", this.hovered);
  }

  private follow(event: Event): void {
    const item = (event.target as HTMLElement).closest<HTMLElement>("[data-camera-id]");
    if (item) this.cameras.mark(item.dataset["cameraId"] as string);
  }

  private receive(message: LiveMessage): void {
    if (message.topic === "cameras") this.cameras.update(message.object, String(message.summary["state"] ?? ""));
    if (message.topic !== "events" || !this.events) return;
    if (fits(message, "events", ["raised"], this.filterValue)) this.events.add(message);
    if (message.kind === "reviewed" && message.summary["state"] === "false_alarm") this.events.remove(message.object);
  }

  private pointField(axis: "lon" | "lat"): HTMLInputElement | null {
    const field = document.getElementById(`${this.pointInputValue}${axis}`);
    return field instanceof HTMLInputElement ? field : null;
  }

  private setPoint(at: L.LatLng): void {
    if (!this.pointInputValue) return;
    const [lon, lat] = [this.pointField("lon"), this.pointField("lat")];
    if (lon) lon.value = at.lng.toFixed(6);
    if (lat) lat.value = at.lat.toFixed(6);
    this.showPoint();
  }

  private showPoint(): void {
    if (!this.map || !this.pointInputValue) return;
    const [lon, lat] = [Number(this.pointField("lon")?.value), Number(this.pointField("lat")?.value)];
    if (!lon || !lat) return;
    if (this.point) this.point.setLatLng([lat, lon]);
    else {
      const pin = document.createElement("i");
      pin.className = "pin is-marked";
      this.point = L.marker([lat, lon], { icon: L.divIcon({ className: "map-pin", html: pin, iconSize: [14, 14] }) });
      this.point.addTo(this.map);
      this.map.setView([lat, lon], Math.max(this.map.getZoom(), 15));
    }
  }

  private say(text: string): void {
    if (!this.hasMessageTarget) return;
    this.messageTarget.textContent = text;
    this.messageTarget.hidden = !text;
  }
}
