"""A wall clock for frames that never goes back, whatever PTS and the system clock do."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

_STEP = 2e-6
"""Two microseconds, as a float of this size is rounded to a quarter of one."""


class FrameClock:
    """Turns packet timestamps (seconds, maybe jumping or None) into rising UTC times.

    Live: the stream's own spacing is kept while it stays within `tolerance` seconds of arrival, otherwise
    time restarts at arrival. Files (live=False): spacing is kept for any forward step up to `max_step`
    seconds; after a jump (backward, wrap of 33 bits, a gap) time goes on by one nominal frame.
    """

    def __init__(
        self,
        *,
        live: bool,
        frame_duration: float = 0.04,
        tolerance: float = 2.0,
        max_step: float = 60.0,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._live = live
        self._frame = frame_duration if frame_duration > 0 else 0.04
        self._tolerance = tolerance
        self._max_step = max_step
        self._now = now
        self._monotonic = monotonic
        self._wall = now()
        self._tick = monotonic()
        self._last: float | None = None
        self._last_pts: float | None = None

    def stamp(self, pts: float | None) -> datetime:
        """The UTC time of the packet; strictly later than the one before."""
        last = self._last
        moment = self._arrival() if last is None else max(self._next(pts, last), last + _STEP)
        self._last = moment
        if pts is not None:
            self._last_pts = pts
        return datetime.fromtimestamp(moment, UTC)

    def _next(self, pts: float | None, last: float) -> float:
        step = None if pts is None or self._last_pts is None else pts - self._last_pts
        if not self._live:
            return last + (step if step is not None and 0 < step <= self._max_step else self._frame)
        arrival = self._arrival()
        if step is not None and abs(last + step - arrival) <= self._tolerance:
            return last + step
        return arrival

    def _arrival(self) -> float:
        """Wall time; after a step back of the system clock it runs at half speed until that is made good."""
        tick, wall = self._monotonic(), self._now()
        elapsed = max(0.0, tick - self._tick)
        self._tick = tick
        slow = self._wall + elapsed * 0.5
        self._wall = wall if wall >= slow else slow
        return self._wall
