"""Stored files encrypted, where the crypto profile asks for it; a plain file stays readable."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from apps.core.crypto import provider

logger = logging.getLogger(__name__)


def sealed(relative: str, data: bytes) -> bytes:
    """What is written: encrypted and bound to its path, or as it is."""
    keys = provider()
    return keys.wrap(data, context=relative) if keys.encrypts_media else data


def opened(relative: str, data: bytes) -> bytes:
    """What was given to `sealed`; raises FileNotFoundError for a file that was changed or whose key is destroyed."""
    keys = provider()
    if not keys.wrapped_by(data):
        return data
    try:
        return keys.unwrap(data, context=relative)
    except ValueError as error:
        logger.error("stored file %s cannot be opened: %s", relative, error)
        raise FileNotFoundError(relative) from None


def present_mark() -> str:
    """What `Capture.sealed_with` holds for a file written now."""
    keys = provider()
    return keys.prefix if keys.encrypts_media else ""


def destroy(path: Path) -> None:
    """Make a local file unreadable before it is unlinked: zeros over all of it, so its wrapped key too."""
    try:
        size = path.stat().st_size
        with path.open("r+b", buffering=0) as file:
            left = size
            while left > 0:
                left -= file.write(bytes(min(left, 1 << 20)))
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
