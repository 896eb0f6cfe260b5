"""What a held stream counts, and windows over its last minute."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Counters:
    """Since the stream was first wished. gop: packets between the last two keyframes, 0 if not known yet.

    gop_seconds: the same in seconds. dropped: frames that a newer one replaced before anybody took them.
    skipped: packets left undecoded although every picture was wanted: it was not this stream's turn (turns.py), or the
    reader had fallen behind the camera.
    """

    packets: int = 0
    bytes: int = 0
    keyframes: int = 0
    decoded: int = 0
    delivered: int = 0
    dropped: int = 0
    skipped: int = 0
    corrupt: int = 0
    reconnects: int = 0
    gop: int = 0
    gop_seconds: float = 0.0
    fps: float = 0.0
    deepest_queue: int = 0
    last_packet_at: datetime | None = None
    last_frame_at: datetime | None = None
    last_error: str = ""


class DamageWindow:
    """Share of damaged decodes in the last `seconds`, kept in one cell a second."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._cells: deque[tuple[int, int, int]] = deque()

    def add(self, moment: float, damaged: bool) -> None:
        """One decode attempt at a time in seconds."""
        second = int(moment)
        good, bad = (0, 1) if damaged else (1, 0)
        if self._cells and self._cells[-1][0] >= second:
            last, had_good, had_bad = self._cells.pop()
            self._cells.append((last, had_good + good, had_bad + bad))
        else:
            self._cells.append((second, good, bad))
        while self._cells and self._cells[0][0] < second - self._seconds:
            self._cells.popleft()

    def share(self) -> tuple[float, int]:
        """(damaged ÷ attempts, attempts)."""
        good = sum(cell[1] for cell in self._cells)
        bad = sum(cell[2] for cell in self._cells)
        return (bad / (good + bad) if good + bad else 0.0), good + bad

    def clear(self) -> None:
        """Forget, after a reconnect."""
        self._cells.clear()


class RateMeter:
    """Packets a second over windows of `seconds`."""

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds
        self._start: float | None = None
        self._count = 0

    def add(self, moment: float) -> float | None:
        """Count one; the rate each time a window is full, otherwise None."""
        if self._start is None:
            self._start = moment
        self._count += 1
        lasted = moment - self._start
        if lasted < self._seconds:
            return None
        rate = (self._count - 1) / lasted
        self._start, self._count = moment, 1
        return rate

    def clear(self) -> None:
        """Begin a new window."""
        self._start, self._count = None, 0
