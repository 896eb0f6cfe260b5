"""Secrets of a local run (development, demo, tests): made on first use, mode 0600, never committed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

DEMO_MARK = "vantage-demo-"


def _made(path: Path, content: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as handle:
        handle.write(content)
    return content


def local_secret(data: Path) -> str:
    """Django's secret key of this data folder; its prefix lets production recognise and refuse it."""
    return _made(data / "secrets" / "django", DEMO_MARK + secrets.token_urlsafe(48)).strip()


def local_key_file(data: Path) -> str:
    """Path of the key file (lines `key-id:base64 of 32 bytes`, the first is used to encrypt)."""
    import base64

    path = data / "secrets" / "keys"
    _made(path, f"demo-1:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
    return str(path)
