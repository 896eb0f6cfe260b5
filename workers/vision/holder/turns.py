"""Whose pictures are all decoded while a node cannot look at everybody's.

A picture that a newer one replaces before anybody looked at it was decoded for nothing, and the decoder took the
processor from the models: at twice what a machine can do, two thirds of the decoding was of this kind. Single pictures
cannot be left out, as the next ones are made from them; whole groups of pictures can. So streams take turns: whose
turn it is decodes everything, the others keyframes only. Nobody is left out, and what is looked at is fresh.

The number of turns follows what was wasted and how busy the consumers were; while there is room for all, nobody waits.
"""

from __future__ import annotations

import math
import threading
from typing import NamedTuple

WINDOW = 1.0
"""Seconds over which waste and load are judged."""
WASTE = 0.2
"""Share of the pictures handed out that newer ones replaced, from which there are too many turns."""
ROOM, FULL = 0.9, 0.95
"""Share of their time that the consumers may be busy with one turn more; from which, while turns are taken, one is too
many: results that wait for each other grow old."""
TOO_MANY, TOO_FEW = 2, 4
"""Windows in a row that must say so: a start, a hiccup of the network or a quiet moment is soon over."""
TURN = 6.0
"""Seconds that a turn lasts at least where others wait for one."""
SETTLE_LESS, SETTLE_MORE = 0.5, 4.0
"""Seconds until fewer turns (at once) or one more (with that stream's next keyframe) show in what is counted."""
TRY_AGAIN, TRY_AGAIN_MOST = 5.0, 120.0
"""Seconds until one more is tried; twice as long each time that it was one too many."""


class Load(NamedTuple):
    """Of one window. waste, busy: 0..1. is_late: some reader fell behind its camera."""

    waste: float
    busy: float
    is_late: bool


class Turns:
    """Thread-safe. Streams are named by their ids; moments are seconds of one clock that only goes forward."""

    def __init__(self, consumers: int) -> None:
        self._consumers = consumers
        self._lock = threading.Lock()
        self._limit: int | None = None
        self._having: dict[str, float] = {}
        """Streams whose turn it is → since when; the longest first."""
        self._waiting: dict[str, None] = {}
        self._sent = self._replaced = 0
        self._busy = 0.0
        self._is_late = False
        self._judged_at: float | None = None
        self._settled_at = self._more_at = self._raised_at = float("-inf")
        self._try_again = TRY_AGAIN
        self._too_many = self._too_few = 0

    # ---- what the streams ask --------------------------------------------------------------------------

    def ask(self, stream: str, moment: float) -> bool:
        """Before each keyframe of a stream of which every picture is wanted: may it decode what follows?"""
        with self._lock:
            self._judge(moment)
            if stream in self._having:
                return True
            self._waiting.setdefault(stream)
            if self._limit is not None:
                over = [each for each, since in self._having.items() if moment - since >= TURN]
                free = self._limit - len(self._having)
                if stream not in list(self._waiting)[: max(0, free + len(over))]:
                    return False
                if free <= 0:  # taken over, so that no turn lies idle until its next holder's keyframe
                    self._take_back(over[:1])
            del self._waiting[stream]
            self._having[stream] = moment
            return True

    def has(self, stream: str) -> bool:
        """Is it still this stream's turn? Quick enough for every packet."""
        return stream in self._having

    @property
    def are_limited(self) -> bool:
        """Are there more streams than turns?"""
        return self._limit is not None

    def leave(self, stream: str) -> None:
        """It ended, or not every picture of it is wanted any more."""
        with self._lock:
            self._having.pop(stream, None)
            self._waiting.pop(stream, None)

    # ---- what they tell --------------------------------------------------------------------------------

    def sent(self, moment: float, *, replaced: bool) -> None:
        """A picture went to the consumers; `replaced`: it pushed out an older one that nobody had looked at."""
        with self._lock:
            self._judge(moment)
            self._sent += 1
            self._replaced += replaced

    def worked(self, seconds: float) -> None:
        """A consumer was busy for so long."""
        with self._lock:
            self._busy += seconds

    def fell_behind(self) -> None:
        """A reader left pictures out because it did not keep up with its camera."""
        self._is_late = True

    # ---- how many turns there are ----------------------------------------------------------------------

    def _judge(self, moment: float) -> None:
        if self._judged_at is None:
            self._judged_at = moment
        lasted = moment - self._judged_at
        if lasted < WINDOW:
            return
        load = Load(
            waste=self._replaced / self._sent if self._sent else 0.0,
            busy=min(1.0, self._busy / (lasted * self._consumers)),
            is_late=self._is_late,
        )
        self._sent, self._replaced, self._busy, self._is_late = 0, 0, 0.0, False
        self._judged_at = moment
        if not self._waiting:
            self._limit = None
        if moment < self._settled_at:
            return
        self._too_many = self._too_many + 1 if self._is_too_much(load) else 0
        self._too_few = self._too_few + 1 if self._has_room(load) else 0
        if self._too_many >= TOO_MANY:
            self._fewer(load, moment)
        elif self._too_few >= TOO_FEW and moment >= self._more_at:
            self._more(moment)

    def _is_too_much(self, load: Load) -> bool:
        return load.is_late or load.waste > WASTE or (self._limit is not None and load.busy > FULL)

    def _has_room(self, load: Load) -> bool:
        having = len(self._having)
        return self._limit is not None and load.busy * (having + 1) <= ROOM * max(having, 1)

    def _fewer(self, load: Load, moment: float) -> None:
        """As many as were looked at, but not less than half: decoding less leaves more for looking."""
        having = len(self._having)
        if having <= 1:
            return
        self._limit = min(having - 1, max(math.ceil(having / 2), round(having * (1 - load.waste))))
        self._take_back(list(self._having)[: having - self._limit])
        was_tried = moment - self._raised_at < 2 * SETTLE_MORE
        self._try_again = min(TRY_AGAIN_MOST, self._try_again * 2) if was_tried else TRY_AGAIN
        self._settled_at, self._more_at = moment + SETTLE_LESS, moment + self._try_again

    def _more(self, moment: float) -> None:
        self._limit = len(self._having) + 1
        self._raised_at, self._settled_at, self._too_few = moment, moment + SETTLE_MORE, 0

    def _take_back(self, streams: list[str]) -> None:
        for stream in streams:
            del self._having[stream]
            self._waiting[stream] = None
