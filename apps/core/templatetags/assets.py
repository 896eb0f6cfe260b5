"""Where the built front end lies: Vite's manifest and the icon sprite's index, read once per build.

Files are addressed under STATIC_URL directly and never renamed again by a storage: chunks import each other by
their built names, so a second name for the same module would load it twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

DIST = "dist/"


@dataclass(frozen=True)
class EntryFiles:
    """Built files of one entry, as paths inside static/dist."""

    script: str
    styles: tuple[str, ...]
    preloads: tuple[str, ...]


def dist_folder() -> Path:
    """The build's folder; it exists only after `npm run build`."""
    return Path(settings.BASE_DIR) / "static" / "dist"


def dist_url(name: str) -> str:
    """Public address of a file of the build."""
    return f"{settings.STATIC_URL}{DIST}{name}"


def entry_files(entry: str) -> EntryFiles | None:
    """Files of `entry` (a source path such as frontend/main.ts); None when it was not built."""
    manifest = _read_json(dist_folder() / ".vite" / "manifest.json")
    chunk = manifest.get(entry)
    if chunk is None:
        return None
    styles = list(chunk.get("css", []))
    preloads: list[str] = []
    for name in _static_imports(manifest, entry, set()):
        preloads.append(manifest[name]["file"])
        styles.extend(manifest[name].get("css", []))
    return EntryFiles(str(chunk["file"]), tuple(dict.fromkeys(styles)), tuple(preloads))


def icon_sprite() -> str:
    """Address of the icon sprite; empty when nothing was built."""
    name = _read_json(dist_folder() / ".vite" / "icons.json").get("file", "")
    return dist_url(name) if name else ""


def _static_imports(manifest: dict[str, Any], entry: str, seen: set[str]) -> list[str]:
    found: list[str] = []
    for name in manifest[entry].get("imports", []):
        if name not in seen:
            seen.add(name)
            found += [name, *_static_imports(manifest, name, seen)]
    return found


def _read_json(path: Path) -> dict[str, Any]:
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        return {}
    return _parse(path, changed)


@lru_cache(maxsize=8)
def _parse(path: Path, changed: int) -> dict[str, Any]:
    """`changed` is part of the key only: a rebuild is seen without a restart."""
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content
