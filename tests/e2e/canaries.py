"""Secrets that the journeys put in where people put secrets, to be looked for afterwards in what was written.

A journey plants them through the pages, as a person types or is shown them; `test_s44_canaries` searches.
"""

from __future__ import annotations

import mmap
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

USER = "admin"
KINDS = frozenset(
    {
        "camera password", "person's password", "mistyped password", "API key", "webhook secret", "TOTP secret",
        "recovery code",
    }
)  # fmt: skip
planted: dict[str, set[str]] = {}


def plant(kind: str, secret: str) -> str:
    """Remember a secret of one of KINDS; answers it."""
    assert kind in KINDS
    assert len(secret) >= 12, "too short to be found by itself"
    planted.setdefault(kind, set()).add(secret)
    return secret


def spellings(kind: str, secret: str) -> set[str]:
    """How a secret could stand in a file: as it is, quoted, in groups, without its prefix, as a Basic header."""
    found = {secret, quote(secret, safe="")}
    if kind == "camera password":
        found.add(b64encode(f"{USER}:{secret}".encode()).decode())
    if kind in {"TOTP secret", "recovery code"}:
        bare = secret.replace(" ", "").replace("-", "")
        groups = [bare[start : start + 4] for start in range(0, len(bare), 4)]
        found |= {
            bare,
            bare.lower(),
            " ".join(groups),
            "-".join(groups),
            "+".join(groups),
            "%20".join(groups),
        }
    if kind == "webhook secret":
        found.add(secret.removeprefix("whsec_"))
    if kind == "API key":
        found.add(secret.split("_", 2)[2])
    return found


def every_spelling() -> dict[str, str]:
    """Spelling → kind, of everything planted so far."""
    return {
        text: kind
        for kind, secrets in planted.items()
        for secret in secrets
        for text in spellings(kind, secret)
    }


def written_files(folders: Iterable[Path], since: float) -> Iterator[Path]:
    """Files under the folders that were written since `since` (seconds of the epoch)."""
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                if path.is_file() and not path.is_symlink() and path.stat().st_mtime >= since:
                    yield path
            except OSError:  # gone meanwhile: a frame that was freed, a page of the database
                continue


def kinds_in(path: Path, wanted: dict[str, str]) -> set[str]:
    """Which kinds of secret stand in the file; text of two bytes a character is read too."""
    needles = [(text.encode(code), kind) for text, kind in wanted.items() for code in ("utf-8", "utf-16-le")]
    try:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                return set()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return {kind for needle, kind in needles if data.find(needle) >= 0}
    except (OSError, ValueError):
        return set()
