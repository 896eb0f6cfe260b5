"""Where things lie: the checkout, the data folder, the environment of our processes."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from portal.launcher.errors import LauncherError
from portal.launcher.folders import private_folder, write_private

ROOT = Path(__file__).resolve().parents[2]
MARK = ".vantage-data"


def data_folder(given: Path | None) -> Path:
    """The data folder: --data, VANTAGE_DATA, or `.vantage` in the checkout; made 0700.

    One that was empty is marked as ours: only such a one is ever emptied (`--fresh`).
    """
    chosen = given or Path(os.environ.get("VANTAGE_DATA") or ROOT / ".vantage")
    data = chosen.expanduser().resolve()
    try:
        private_folder(data)
        if not any(data.iterdir()):
            write_private(data / MARK, "Vantage's data folder: `./vantage demo --fresh` empties it.\n")
    except OSError as error:
        raise LauncherError(f"{data} cannot be used: {error.strerror}; give another --data DIR") from None
    if not os.access(data, os.W_OK | os.X_OK):
        raise LauncherError(f"{data} cannot be written by this user; give another --data DIR")
    return data


def process_environment(data: Path, urls: Mapping[str, str], settings: str) -> dict[str, str]:
    """The environment of Vantage's own processes; `python` there is the interpreter we run on."""
    programs = str(Path(sys.executable).parent)
    return {
        **os.environ,
        **urls,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "ORT_DISABLE_TELEMETRY": "1",  # see workers/vision/runtimes
        "DJANGO_SETTINGS_MODULE": settings,
        "VANTAGE_DATA": str(data),
    }


def remember_environment(data: Path, environment: Mapping[str, str]) -> None:
    """Keep the settings module and VANTAGE_*: commands on this data folder run as its processes do."""
    kept = {
        name: value
        for name, value in environment.items()
        if name == "DJANGO_SETTINGS_MODULE" or (name.startswith("VANTAGE_") and "SECRET" not in name)
    }
    write_private(data / "environment.json", json.dumps(kept, indent=1, sort_keys=True) + "\n")


def remembered_environment(data: Path) -> dict[str, str]:
    """What `remember_environment` kept; empty where nothing was."""
    try:
        found = json.loads((data / "environment.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
