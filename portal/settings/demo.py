"""The demo city: like development without debug pages; never accepted by production."""

import os

from portal.settings.base import *  # noqa: F403
from portal.settings.base import STATICFILES_DIRS, VANTAGE_DATA, VANTAGE_MAP
from portal.settings.environment import ROOT
from portal.settings.secrets import local_key_file, local_secret

VANTAGE_DEMO = True
VANTAGE_SECOND_FACTOR = "optional"  # no telephone at hand; administrators see a note instead (ADR 11)
VANTAGE_KEY_FILE = os.environ.get("VANTAGE_KEY_FILE") or local_key_file(VANTAGE_DATA)
SECRET_KEY = os.environ.get("VANTAGE_SECRET_KEY") or local_secret(VANTAGE_DATA)

VANTAGE_MAP = {**VANTAGE_MAP, "basemap": "/static/demo/basemap.geojson"}
STATICFILES_DIRS = [*STATICFILES_DIRS, ("demo", ROOT / "demo" / "public")]
