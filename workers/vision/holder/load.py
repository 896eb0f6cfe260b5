"""How much a holder's consumers have to do, judged over windows of a second."""

from __future__ import annotations

from typing import NamedTuple

WINDOW = 1.0
"""Seconds over which waste and load are judged."""


LATE_SECONDS = 4.0
"""A reader that stays behind says so once in a group of pictures, not in each window."""


class Load(NamedTuple):
    """Of one window. busy: share of their time that the consumers worked, 0..1. looked: looks that ended.

    late: streams whose readers fell behind in the last LATE_SECONDS.
    """

    sent: int
    replaced: int
    looked: int
    busy: float
    late: int

    @property
    def waste(self) -> float:
        """Share of the pictures handed out that newer ones replaced before anybody looked at them, 0..1."""
        return self.replaced / self.sent if self.sent else 0.0


class LoadMeter:
    """For one thread at a time; moments are seconds of one clock that only goes forward."""

    def __init__(self, consumers: int) -> None:
        self._consumers = consumers
        self._sent = self._replaced = self._looked = self._working = 0
        self._worked = 0.0
        self._late: dict[str, float] = {}
        self._began: float | None = None
        self._at = 0.0

    def sent(self, *, replaced: bool) -> None:
        """A picture went to the consumers; `replaced`: it pushed out an older one that nobody had looked at."""
        self._sent += 1
        self._replaced += replaced

    def working(self, moment: float, more: int) -> None:
        """So many consumers more (1) or fewer (-1) are at work; a long look counts while it lasts, not at its end."""
        self._pass(moment)
        self._working += more
        self._looked += more < 0

    def late(self, stream: str, moment: float) -> None:
        """A reader left pictures out because it did not keep up with its camera."""
        self._late[stream] = moment

    def forget_late(self) -> None:
        """Something was done about it."""
        self._late.clear()

    def window(self, moment: float) -> Load | None:
        """What was counted, each time a window is full."""
        if self._began is None:
            self._began = self._at = moment
        lasted = moment - self._began
        if lasted < WINDOW:
            return None
        self._pass(moment)
        busy = min(1.0, self._worked / (lasted * self._consumers))
        self._late = {stream: at for stream, at in self._late.items() if moment - at < LATE_SECONDS}
        load = Load(self._sent, self._replaced, self._looked, busy, len(self._late))
        self._sent = self._replaced = self._looked = 0
        self._worked, self._began = 0.0, moment
        return load

    def _pass(self, moment: float) -> None:
        self._worked += self._working * max(0.0, moment - self._at)
        self._at = moment
