"""Keeping pictures: the clean original once per capture, and each camera's latest cover."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

from apps.core.ids import key_id
from apps.devices.choices import MediaClass
from apps.devices.models import Camera, Capture


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
        return key_id(self.time, "capture", self.camera_id, self.preset, self.time.isoformat())


def media_path(relative: str) -> Path:
    """The file of a stored path; raises ValueError for one that leaves the media folder."""
    root = Path(settings.MEDIA_ROOT).resolve()
    path = (root / relative).resolve()
    if not path.is_relative_to(root):
        raise ValueError("path leaves the media folder")
    return path


def _store(source: Path, relative: str) -> tuple[int, str]:
    target = media_path(relative)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_suffix(f".{os.getpid()}.part")
    shutil.copyfile(source, part)
    os.chmod(part, 0o600)
    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    part.replace(target)
    return target.stat().st_size, digest


def record_captures(batch: list[NewCapture]) -> dict[UUID, bool]:
    """Copy each frame to the media storage and add its row, in the caller's transaction.

    Returns capture id → True when its picture is there; a frame that is gone gives False and no row.
    """
    kept: dict[UUID, bool] = {}
    rows = []
    known = set(Capture.objects.filter(pk__in=[item.id for item in batch]).values_list("pk", flat=True))
    for item in batch:
        if item.id in kept:
            continue
        if item.id in known:
            kept[item.id] = True
            continue
        relative = f"frames/{item.time.astimezone(UTC):%Y/%m/%d}/{item.id}.jpg"
        try:
            size, digest = _store(Path(item.frame), relative)
        except FileNotFoundError:
            kept[item.id] = False
            continue
        kept[item.id] = True
        rows.append(
            Capture(
                id=item.id,
                camera_id=item.camera_id,
                preset=item.preset,
                time=item.time,
                width=item.width,
                height=item.height,
                size=size,
                path=relative,
                sha256=digest,
                media_class=item.media_class,
            )
        )
    Capture.objects.bulk_create(rows, ignore_conflicts=True)
    return kept


def set_cover(camera_id: UUID, jpeg: Path | str, at: datetime) -> None:
    """Make this picture the camera's cover (its latest picture on cards and lists)."""
    relative = f"covers/{camera_id}.jpg"
    try:
        _store(Path(jpeg), relative)
    except FileNotFoundError:
        return
    Camera.objects.filter(pk=camera_id).update(cover=relative, cover_at=at)
