"""Taking one picture of one camera: open, first good keyframe, quality gate, privacy masks, frame store."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from workers.capture.frames import FrameStore
from workers.vision.errors import SourceError
from workers.vision.frames import Frame
from workers.vision.holder import ask_picture
from workers.vision.keyframes import capture_keyframe
from workers.vision.quality import gate
from workers.vision.rendition import paint_masks
from workers.vision.sources import AddressPolicy, SourceOptions

logger = logging.getLogger(__name__)
FRESH = 3.0
"""Seconds: a keyframe of a held stream that is older than this is not what was asked for; the next one is."""


@dataclass(frozen=True, slots=True)
class Shot:
    """What is to be photographed; the address stays out of every log."""

    slot: UUID
    camera: UUID
    preset: int
    url: str
    options: SourceOptions
    masks: Sequence[dict[str, Any]]
    seconds: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it: a path, or the reason why there is none. `fault` is True when the camera did not answer."""

    shot: Shot
    path: Path | None = None
    reason: str = ""
    fault: bool = False
    at: datetime | None = None
    frame: Frame | None = None


def take(shot: Shot, policy: AddressPolicy, store: FrameStore, holder: Path | str = "") -> Taken:
    """Runs in a thread of its own and never raises: a camera's defect must not take the batch along.

    holder: the socket of the node's stream holder, which is asked first: a camera that it holds is not opened again.
    """
    try:
        frame = _held(shot, holder) or capture_keyframe(
            shot.url, policy=policy, options=shot.options, deadline=max(1.0, shot.seconds)
        )
        verdict = gate(frame)
        if shot.masks:
            frame = replace(frame, image=paint_masks(frame.image, shot.masks))
        path = store.write(frame, shot.slot)
    except SourceError as error:
        return Taken(shot, reason=error.fault.value, fault=True)
    except OSError as error:
        logger.error("frame store: %s", error)
        return Taken(shot, reason="frame_store")
    except Exception:
        logger.exception("capture of camera %s failed", shot.camera)
        return Taken(shot, reason="capture_error")
    if not verdict.good:
        return Taken(shot, path, f"quality_{verdict.value}", at=frame.time, frame=frame)
    return Taken(shot, path, at=frame.time, frame=frame)


def _held(shot: Shot, holder: Path | str) -> Frame | None:
    """The latest keyframe of the held stream; a part of the time is left for opening the camera after all."""
    if not holder:
        return None
    return ask_picture(holder, str(shot.camera), max_age=FRESH, seconds=max(1.0, shot.seconds * 0.6))
