"""A folder of images as a source: each image is a keyframe."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from workers.vision.errors import SourceError, SourceFault
from workers.vision.frames import Frame, Image
from workers.vision.sources.base import StreamInfo, VideoPacket, VideoSource
from workers.vision.sources.clock import FrameClock
from workers.vision.sources.options import SourceOptions

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
MAX_IMAGE_BYTES = 64 << 20
MAX_PIXELS = 64_000_000


class ImageFolder(VideoSource):
    """The images of one folder in the order of their names, options.image_interval seconds apart."""

    def __init__(self, folder: Path, options: SourceOptions) -> None:
        self._options = options
        self._stopping = threading.Event()
        self._paths = sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in SUFFIXES and path.is_file() and not path.is_symlink()
        )
        if not self._paths:
            raise SourceError(SourceFault.NO_VIDEO, "The folder holds no images.")
        first = read_image(self._paths[0])
        height, width = (0, 0) if first is None else first.shape[:2]
        fps = 1 / options.image_interval if options.image_interval > 0 else 0.0
        self.info = StreamInfo("images", width, height, fps, has_audio=False, live=False)
        self._clock = FrameClock(live=False, frame_duration=options.image_interval, max_step=86_400.0)

    def __iter__(self) -> Iterator[VideoPacket]:
        index = 0
        start = time.monotonic()
        while True:
            for path in self._paths:
                if self._options.realtime:
                    self._stopping.wait(
                        max(0.0, start + index * self._options.image_interval - time.monotonic())
                    )
                if self._stopping.is_set():
                    raise SourceError(SourceFault.CLOSED, "The source was closed.")
                pts = index * self._options.image_interval
                size = path.stat().st_size if path.exists() else 0
                yield VideoPacket(index, True, pts, self._clock.stamp(pts), size, corrupt=False, native=path)
                index += 1
            if not self._options.loop:
                return

    def decode(self, packet: VideoPacket, *, want: bool = True) -> Frame | None:
        return self.decode_keyframe(packet) if want else None

    def decode_keyframe(self, packet: VideoPacket) -> Frame | None:
        image = read_image(packet.native)
        return (
            None
            if image is None
            else Frame(image, packet.time, packet.pts, keyframe=True, index=packet.index)
        )

    def abort(self) -> None:
        self._stopping.set()

    def close(self) -> None:
        self._stopping.set()


def read_image(path: Path) -> Image | None:
    """The picture as BGR, or None where it cannot be decoded or is too large."""
    try:
        if path.stat().st_size > MAX_IMAGE_BYTES:
            return None
        data = np.fromfile(path, dtype=np.uint8)
    except OSError:
        return None
    if not data.size:
        return None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if image is None or image.shape[0] * image.shape[1] > MAX_PIXELS:
        return None
    return np.ascontiguousarray(image, dtype=np.uint8)
