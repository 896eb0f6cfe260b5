"""Running a script in a process of its own that works on the test database and dies at a fault point."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PREAMBLE = """
import os, django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE_NAME"]
django.setup()
"""


def crashing(script: str, *arguments: str) -> int:
    """The exit status of `script`, run with Django on the present test database."""
    from django.conf import settings
    from django.db import connection

    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings.test",
        "TEST_DATABASE_NAME": connection.settings_dict["NAME"],
        "VANTAGE_TEST_DATA": str(settings.VANTAGE_DATA),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + script, *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode not in {0, 9}:
        raise AssertionError(done.stderr[-2000:])
    return done.returncode
