"""The id under which everything that happened to one frame is found, in logs, spans and pages."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from uuid import UUID

from apps.core.ids import key_id


def frame_id(camera: UUID, preset: int, time: datetime) -> UUID:
    """The frame's id: the same as that of its stored picture, known to every row that knows these three."""
    return key_id(time, "capture", camera, preset, time.astimezone(UTC).isoformat())


def trace_of(camera: UUID, preset: int, time: datetime) -> str:
    """The frame's id as a W3C trace id: 32 hexadecimal digits."""
    return frame_id(camera, preset, time).hex


def span_of(trace: str, stage: str, object_id: object = "") -> int:
    """A span's id (64 bits, not 0), always the same for this stage of this frame."""
    digest = hashlib.sha256(f"{trace}\x1f{stage}\x1f{object_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") or 1
