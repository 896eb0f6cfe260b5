/** Stands in for the package "leaflet": the global L that django-leaflet put on the page. */
import type * as Leaflet from "leaflet";

declare global {
  interface Window {
    L: typeof Leaflet;
  }
}

export default window.L;
