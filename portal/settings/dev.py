"""Development on one machine: debug pages, a key made on first use under VANTAGE_DATA."""

import os

from portal.settings.base import *  # noqa: F403
from portal.settings.base import VANTAGE_DATA
from portal.settings.secrets import local_key_file, local_secret

DEBUG = True
VANTAGE_SECOND_FACTOR = "optional"
VANTAGE_KEY_FILE = os.environ.get("VANTAGE_KEY_FILE") or local_key_file(VANTAGE_DATA)
SECRET_KEY = os.environ.get("VANTAGE_SECRET_KEY") or local_secret(VANTAGE_DATA)
