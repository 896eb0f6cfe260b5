"""The SHA-256 of a model file, checked each time before it is loaded."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from workers.vision.runtimes.base import ModelCorrupt, ModelMissing


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's content, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify(path: Path, expected: str) -> None:
    """Raise `ModelMissing` or `ModelCorrupt` unless the file's SHA-256 is `expected`.

    Always reads the file: a flipped byte changes neither size nor, on every file system, the time.
    """
    if not path.is_file():
        raise ModelMissing(f"{path.name} is not on this node: synchronise the package again")
    actual = sha256_of(path)
    if not hmac.compare_digest(actual, expected.lower().removeprefix("sha256:")):
        raise ModelCorrupt(
            f"{path.name} has SHA-256 {actual[:12]}… instead of {expected[:12]}…: synchronise the package again"
        )
