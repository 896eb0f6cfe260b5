"""One good picture from a source, at the least cost: the first keyframe that decodes undamaged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2

from workers.vision.errors import SourceError, SourceFault
from workers.vision.frames import Frame
from workers.vision.sources import AddressPolicy, SourceOptions, VideoPacket, VideoSource, open_source
from workers.vision.whole import whole_file

DEFAULT_DEADLINE = 30.0
ASSUMED_GOP = 250
"""Packets; a stream that shows no keyframe for max_gops of these has none worth waiting for."""


def capture_keyframe(
    url: str,
    *,
    policy: AddressPolicy | None,
    options: SourceOptions | None = None,
    max_gops: int = 2,
    deadline: float = DEFAULT_DEADLINE,
    accept: Callable[[Frame], bool] | None = None,
) -> Frame:
    """Open the source, take its first good keyframe, close it.

    Other packets are dropped before the decoder. Damaged keyframes, and those that `accept` turns down, are
    skipped; after max_gops of them, or that many GOPs without any, SourceError(NO_KEYFRAME).
    deadline: seconds from now for everything, opening included.
    """
    ends = time.monotonic() + deadline
    with open_source(url, policy=policy, options=options) as source:
        return first_keyframe(source, max_gops=max_gops, ends=ends, accept=accept)


def first_keyframe(
    source: VideoSource,
    *,
    max_gops: int = 2,
    ends: float | None = None,
    accept: Callable[[Frame], bool] | None = None,
    packets: Iterable[VideoPacket] | None = None,
) -> Frame:
    """The first good keyframe of an open source; see capture_keyframe. ends: time.monotonic()."""
    skipped = waited = 0
    for packet in source if packets is None else packets:
        if ends is not None and time.monotonic() > ends:
            raise SourceError(SourceFault.TIMEOUT, "No keyframe arrived in time.")
        if not packet.is_keyframe:
            waited += 1
            if waited > max_gops * ASSUMED_GOP:
                break
            continue
        waited = 0
        frame = source.decode_keyframe(packet)
        if frame is not None and (accept is None or accept(frame)):
            return frame
        skipped += 1
        if skipped >= max_gops:
            break
    raise SourceError(
        SourceFault.NO_KEYFRAME,
        f"No undamaged keyframe in {max_gops} groups of pictures ({skipped} skipped).",
    )


def write_jpeg(frame: Frame, path: Path | str, quality: int = 88) -> Path:
    """Write the picture as JPEG (quality 1..100); a reader sees the whole file or none. Raises OSError."""
    target = Path(path)
    done, data = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise OSError("the picture cannot be encoded")
    with whole_file(target) as file:
        file.write(data.data)
    return target
