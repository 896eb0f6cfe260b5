"""The map: no public tile server; the page draws its own vector layer or a configured one."""

import os

LEAFLET_CONFIG = {"TILES": [], "RESET_VIEW": False, "SCALE": "metric", "ATTRIBUTION_PREFIX": ""}
VANTAGE_MAP = {
    "basemap": os.environ.get("VANTAGE_BASEMAP", ""),
    "tiles": os.environ.get("VANTAGE_TILES", ""),
    "centre": [float(part) for part in os.environ.get("VANTAGE_MAP_CENTRE", "30.0,120.0").split(",")],
    "zoom": int(os.environ.get("VANTAGE_MAP_ZOOM", "13")),
}
