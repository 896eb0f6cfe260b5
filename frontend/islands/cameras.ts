/** Camera markers: clusters of the server for far views, of supercluster for near ones, single pins below. */
import L from "leaflet";
import Supercluster from "supercluster";
import { type CameraAnswer, type CameraPoint, clusterTone } from "../lib/geo";
import { element } from "../lib/dom";
import { t } from "../lib/words";

interface Sums {
  online: number;
}
type Point = Supercluster.PointFeature<{ camera: CameraPoint } & Partial<Sums>>;

export class CameraLayer {
  private readonly layer = L.layerGroup();
  private readonly pins = new Map<string, L.Marker>();
  private readonly index: Supercluster<{ camera: CameraPoint } & Partial<Sums>, Sums>;
  private answer: CameraAnswer = { cameras: [], clusters: [] };
  private marked = "";

  constructor(
    private readonly map: L.Map,
    private readonly selected: (camera: CameraPoint, marker: L.Marker) => void,
    clustered: boolean,
  ) {
    this.index = new Supercluster({
      extent: 256,
      radius: clustered ? 64 : 0,
      maxZoom: clustered ? 16 : -1,
      map: (properties) => ({ online: properties.camera.state === "online" ? 1 : 0 }),
      reduce: (sum, one) => {
        sum.online += one.online;
      },
    });
    this.layer.addTo(map);
    map.on("moveend", () => this.draw());
  }

  show(answer: CameraAnswer): void {
    this.answer = answer;
    const points = answer.cameras.map(
      (camera): Point => ({
        type: "Feature",
        geometry: { type: "Point", coordinates: [camera.lon, camera.lat] },
        properties: { camera },
      }),
    );
    this.index.load(points);
    this.draw();
  }

  /** A camera changed its state: its pin follows without a new request. */
  update(id: string, state: string): void {
    const camera = this.answer.cameras.find((one) => one.id === id);
    if (!camera || camera.state === state) return;
    camera.state = state;
    this.show(this.answer);
  }

  mark(id: string): void {
    this.pinOf(this.marked)?.classList.remove("is-marked");
    this.marked = id;
    this.pinOf(id)?.classList.add("is-marked");
  }

  find(id: string): CameraPoint | undefined {
    return this.answer.cameras.find((camera) => camera.id === id);
  }

  markerOf(id: string): L.Marker | undefined {
    return this.pins.get(id);
  }

  private pinOf(id: string): Element | null | undefined {
    return this.pins.get(id)?.getElement()?.querySelector(".pin");
  }

  private draw(): void {
    this.layer.clearLayers();
    this.pins.clear();
    const bounds = this.map.getBounds().pad(0.2);
    const box: [number, number, number, number] = [
      bounds.getWest(),
      bounds.getSouth(),
      bounds.getEast(),
      bounds.getNorth(),
    ];
    for (const cluster of this.answer.clusters) this.addCluster(cluster.lat, cluster.lon, cluster.count, cluster.online);
    if (!this.answer.cameras.length) return;
    for (const found of this.index.getClusters(box, Math.floor(this.map.getZoom()))) {
      const [lon, lat] = found.geometry.coordinates as [number, number];
      if ("cluster" in found.properties && found.properties.cluster) {
        this.addCluster(lat, lon, found.properties.point_count, found.properties.online ?? 0, found.id as number);
      } else {
        this.addPin((found.properties as { camera: CameraPoint }).camera);
      }
    }
    if (this.marked) this.mark(this.marked);
  }

  private addPin(camera: CameraPoint): void {
    const state = ["online", "offline", "degraded"].includes(camera.state) ? camera.state : "unknown";
    const icon = L.divIcon({ className: "map-pin", html: element("i", `pin pin-${state}`), iconSize: [14, 14] });
    const marker = L.marker([camera.lat, camera.lon], { icon, alt: camera.name, title: camera.name, riseOnHover: true });
    marker.on("click keypress", (event) => {
      const key = (event as unknown as { originalEvent?: KeyboardEvent }).originalEvent?.key;
      if (event.type === "click" || key === "Enter") this.selected(camera, marker);
    });
    this.pins.set(camera.id, marker);
    this.layer.addLayer(marker);
  }

  private addCluster(lat: number, lon: number, count: number, online: number, id?: number): void {
    const size = count < 20 ? 36 : count < 200 ? 44 : 54;
    const html = element("span", "", element("span", "", String(count)), element("br"), element("small", "", String(online)));
    const icon = L.divIcon({ className: `map-cluster ${clusterTone(online, count)}`, html, iconSize: [size, size] });
    const title = t("map_cluster", { count, online });
    const marker = L.marker([lat, lon], { icon, title, alt: title });
    marker.on("click", () => {
      const zoom = id === undefined ? this.map.getZoom() + 2 : this.index.getClusterExpansionZoom(id);
      this.map.setView([lat, lon], Math.min(zoom, 19));
    });
    this.layer.addLayer(marker);
  }
}
