"""Single pictures of a held stream: from its latest keyframe, so that nobody opens the camera a second time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from workers.vision.frames import Frame
from workers.vision.sources import VideoPacket, VideoSource


@dataclass(slots=True, eq=False)
class _Asked:
    max_age: float
    answered: threading.Event = field(default_factory=threading.Event)
    frame: Frame | None = None


class PictureDesk:
    """Asked from any thread; the stream's own thread keeps the packet and decodes.

    Only the compressed packet is kept: nothing is decoded that nobody asked for.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._asked: list[_Asked] = []
        self._latest: tuple[VideoPacket, float] | None = None

    def ask(self, max_age: float, timeout: float) -> Frame | None:
        """The latest keyframe if it came within `max_age` seconds, else the next one; None after `timeout` seconds."""
        asked = _Asked(max_age)
        with self._lock:
            self._asked.append(asked)
        asked.answered.wait(timeout)
        with self._lock:
            if asked in self._asked:
                self._asked.remove(asked)
        return asked.frame

    def keep(self, packet: VideoPacket) -> None:
        """In the stream's thread: a keyframe came."""
        self._latest = (packet, self._now())

    @property
    def is_wanted(self) -> bool:
        """Somebody waits."""
        return bool(self._asked)

    def serve(self, source: VideoSource) -> None:
        """In the stream's thread: decode once for all whom the latest keyframe suits. Damaged ones suit nobody."""
        if self._latest is None:
            return
        packet, came = self._latest
        age = self._now() - came
        with self._lock:
            suited = [asked for asked in self._asked if age <= asked.max_age]
        if not suited:
            return
        frame = source.decode_keyframe(packet)
        if frame is None or frame.corrupt:
            self._latest = None
            return
        with self._lock:
            self._asked = [asked for asked in self._asked if asked not in suited]
        for asked in suited:
            asked.frame = frame
            asked.answered.set()

    def clear(self) -> None:
        """The connection ended: who waits gets nothing."""
        self._latest = None
        with self._lock:
            waiting, self._asked = self._asked, []
        for asked in waiting:
            asked.answered.set()
