"""Keeping pictures: the clean original once per capture, and each camera's latest cover."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from apps.core.trace import frame_id
from apps.core.wake import wake
from apps.devices.choices import MediaClass, MediaState
from apps.devices.models import Camera, Capture
from apps.devices.services.storage import put
from apps.devices.services.storage.sealing import present_mark


@dataclass(frozen=True, slots=True)
class NewCapture:
    """A frame to keep: `frame` is its path in the node's frame store."""

    camera_id: UUID
    preset: int
    time: datetime
    frame: str
    width: int
    height: int
    media_class: str = MediaClass.EVENT_PICTURE

    @property
    def id(self) -> UUID:
        """Made from (camera, preset, time): storing twice is one row and one file."""
        return frame_id(self.camera_id, self.preset, self.time)


def record_captures(batch: list[NewCapture]) -> dict[UUID, bool]:
    """Give each frame to the media storage and add its row, in the caller's transaction.

    Returns capture id → True when it has a row; a frame that is gone gives False and no row. A picture that the
    storage had no room for has a row that says so: an event is never lost with its picture.
    """
    kept: dict[UUID, bool] = {}
    rows = []
    known = set(Capture.objects.filter(pk__in=[item.id for item in batch]).values_list("pk", flat=True))
    for item in batch:
        if item.id in kept:
            continue
        row = None if item.id in known else _stored(item)
        kept[item.id] = item.id in known or row is not None
        if row is not None:
            rows.append(row)
    Capture.objects.bulk_create(rows, ignore_conflicts=True)
    if any(row.media_state == MediaState.PENDING for row in rows):
        wake("media")
    return kept


def _stored(item: NewCapture) -> Capture | None:
    """Its unsaved row, the picture given to the storage; None where the frame is gone."""
    relative = f"frames/{item.time.astimezone(UTC):%Y/%m/%d}/{item.id}.jpg"
    try:
        data = Path(item.frame).read_bytes()
    except OSError:
        return None
    return Capture(
        id=item.id,
        camera_id=item.camera_id,
        preset=item.preset,
        time=item.time,
        width=item.width,
        height=item.height,
        size=len(data),
        path=relative,
        sha256=hashlib.sha256(data).hexdigest(),
        media_class=item.media_class,
        media_state=put(relative, data, item.media_class),
        sealed_with=present_mark(),
    )


def set_cover(camera_id: UUID, jpeg: Path | str, at: datetime) -> None:
    """Make this picture the camera's cover (its latest picture on cards and lists)."""
    relative = f"covers/{camera_id}.jpg"
    try:
        data = Path(jpeg).read_bytes()
    except OSError:
        return
    if put(relative, data, MediaClass.COVER) == MediaState.NOT_KEPT:
        return
    Camera.objects.filter(pk=camera_id).update(cover=relative, cover_at=at)
