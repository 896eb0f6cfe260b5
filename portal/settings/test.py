"""Tests: real PostgreSQL and Valkey, fast password hashing, an own data folder."""

import os
import tempfile
from pathlib import Path

_OWN = os.environ.get("VANTAGE_TEST_DATA") or tempfile.mkdtemp(prefix="vantage-test-")
os.environ["VANTAGE_DATA"] = _OWN
os.environ.setdefault("VANTAGE_RUN", str(Path(_OWN) / "run"))

from portal.settings.base import *  # noqa: E402, F403
from portal.settings.base import DATABASES  # noqa: E402
from portal.settings.secrets import local_key_file, local_secret  # noqa: E402

VANTAGE_KEY_FILE = local_key_file(Path(_OWN))
SECRET_KEY = local_secret(Path(_OWN))
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES["default"]["TEST"] = {"NAME": "test_vantage" + os.environ.get("VANTAGE_TEST_SUFFIX", "")}
DATABASES["default"]["CONN_MAX_AGE"] = 0
VANTAGE_OUTBOUND_EXACT = []
AXES_ENABLED = False
VANTAGE_SECOND_FACTOR = "optional"
