/** Live events on the map: a red diamond that pulses while it is new; the oldest go first. */
import L from "leaflet";
import { element, fillAddress, word } from "../lib/dom";
import type { LiveMessage } from "../lib/live";

const KEPT = 100;
const PULSE_MS = 30_000;

export class EventMarkers {
  private readonly layer = L.layerGroup();
  private readonly shown = new Map<string, L.Marker>();

  constructor(
    map: L.Map,
    private readonly link: string,
  ) {
    this.layer.addTo(map);
  }

  /** Events that were there before the page, newest first: no pulse. */
  addKnown(summaries: Record<string, unknown>[]): void {
    for (const summary of [...summaries].reverse()) {
      const id = word(summary["id"]);
      this.add({ object: id, summary });
      this.shown.get(id)?.getElement()?.classList.add("is-old");
    }
  }

  add(message: Pick<LiveMessage, "object" | "summary">): void {
    if (message.summary["lon"] === null || message.summary["lat"] === null) return;
    const [lon, lat] = [Number(message.summary["lon"]), Number(message.summary["lat"])];
    if (!Number.isFinite(lon) || !Number.isFinite(lat) || (lon === 0 && lat === 0)) return;
    this.remove(message.object);
    const icon = L.divIcon({ className: "map-pin map-event", html: element("i", "pin pin-event"), iconSize: [16, 16] });
    const name = nameOf(message.summary);
    const marker = L.marker([lat, lon], { icon, title: name, alt: name, zIndexOffset: 500 });
    marker.bindPopup(this.card(message));
    this.layer.addLayer(marker);
    marker.getElement()?.setAttribute("data-event-id", message.object);
    this.shown.set(message.object, marker);
    setTimeout(() => marker.getElement()?.classList.add("is-old"), PULSE_MS);
    const oldest = this.shown.keys().next().value;
    if (this.shown.size > KEPT && oldest !== undefined) this.remove(oldest);
  }

  remove(id: string): void {
    const marker = this.shown.get(id);
    if (marker) this.layer.removeLayer(marker);
    this.shown.delete(id);
  }

  private card(message: Pick<LiveMessage, "summary" | "object">): HTMLElement {
    const name = element("h3", "", nameOf(message.summary));
    const place = element("p", "", word(message.summary["camera_name"]));
    const card = element("article", "map-card", name, place);
    const address = fillAddress(this.link, { id: message.object });
    if (address) {
      const link = element("a", "btn btn-sm btn-primary", word(message.summary["code"]) || message.object.slice(-8));
      link.href = address;
      card.append(link);
    }
    return card;
  }
}

/** In the page's language; a push is the same for everybody and carries both. */
function nameOf(summary: Record<string, unknown>): string {
  const own = document.documentElement.lang.startsWith("zh") ? summary["name_zh"] : summary["name_en"];
  return word(own) || word(summary["name"]);
}
