"""Whose pictures are all decoded while a node cannot look at everybody's.

A picture that a newer one replaces before anybody looked at it was decoded for nothing, and the decoder took the
processor from the models: at twice what a machine can do, two thirds of the decoding was of this kind. Single pictures
cannot be left out, as the next ones are made from them; whole groups of pictures can. So streams take turns: whose
turn it is decodes everything, the others keyframes only. Nobody is left out, and what is looked at is fresh.

The number of turns follows what was wasted and how busy the consumers were; while there is room for all, nobody waits.
There are never fewer than consumers: they look at one picture of a stream at a time, so fewer would leave some idle.
"""

from __future__ import annotations

import math
import threading

from workers.vision.holder.load import Load, LoadMeter

WASTE = 0.2
"""Share of the pictures handed out that newer ones replaced, from which busy consumers cannot look at everything."""
ROOM, FULL = 0.9, 0.95
"""Share of their time that the consumers may be busy with one turn more; from which, while turns are taken, one is too
many: results that wait for each other grow old."""
LATE = 4
"""One in so many streams (and at least two) must have fallen behind its camera; one alone has a poor line."""
TOO_MANY, TOO_FEW = 2, 4
"""Windows in a row that must say so: a start, a hiccup of the network or a quiet moment is soon over."""
TURN, RESERVED = 6.0, 12.0
"""Seconds that a turn lasts at least where others wait; seconds beyond that it is kept for who waits longest. A stream
with fewer keyframes than one in that time would have nothing to show in between, and is never put off."""
SETTLE_LESS, SETTLE_MORE = 0.5, 4.0
"""Seconds until fewer turns (at once) or more (with the next keyframes) show in what is counted."""
TRY_AGAIN, TRY_AGAIN_MOST, PROVEN = 5.0, 120.0, 30.0
"""Seconds until more are tried; twice as long each time that it proved too many within so many seconds."""


class Turns:
    """Thread-safe. Streams are named by their ids; moments are seconds of one clock that only goes forward."""

    def __init__(self, consumers: int) -> None:
        self.limit: int | None = None
        """How many turns there are; None: as many as streams."""
        self._consumers = consumers
        self._lock = threading.Lock()
        self._meter = LoadMeter(consumers)
        self._having: dict[str, float] = {}
        """Streams whose turn it is → since when; the longest first."""
        self._waiting: dict[str, None] = {}
        self._asked: dict[str, float] = {}
        self._sparse: set[str] = set()
        """Streams with too few keyframes to be put off."""
        self._settled_at = self._more_at = float("-inf")
        self._proven_at = float("inf")
        self._try_again = TRY_AGAIN
        self._too_many = self._too_few = 0

    # ---- what the streams ask --------------------------------------------------------------------------

    def ask(self, stream: str, moment: float) -> bool:
        """Before each keyframe of a stream of which every picture is wanted: may it decode what follows?"""
        with self._lock:
            self._judge(moment)
            self._note(stream, moment)
            if stream in self._having:
                return True
            self._waiting.setdefault(stream)
            is_full = self.limit is not None and len(self._having) >= self.limit
            if is_full and stream not in self._sparse and not self._takes_over(stream, moment):
                return False
            del self._waiting[stream]
            self._having[stream] = moment
            return True

    def has(self, stream: str) -> bool:
        """Is it still this stream's turn? Quick enough for every packet."""
        return stream in self._having

    def leave(self, stream: str) -> None:
        """It ended, or not every picture of it is wanted any more."""
        with self._lock:
            self._having.pop(stream, None)
            self._waiting.pop(stream, None)
            self._asked.pop(stream, None)
            self._sparse.discard(stream)

    def is_put_off(self, stream: str) -> bool:
        """Does it take turns with others?"""
        limit = self.limit
        return (
            limit is not None
            and len(self._having) + len(self._waiting) > limit
            and stream not in self._sparse
        )

    def _note(self, stream: str, moment: float) -> None:
        asked, self._asked[stream] = self._asked.get(stream), moment
        if asked is not None and moment - asked > RESERVED:
            self._sparse.add(stream)
        else:
            self._sparse.discard(stream)

    def _takes_over(self, stream: str, moment: float) -> bool:
        """A turn that is over, for who waits longest; for anybody once those had their time to come with a keyframe."""
        over = [each for each in self._dense(moment) if moment - self._having[each] >= TURN]
        kept = [each for each in over if moment - self._having[each] < TURN + RESERVED]
        if not over or (len(kept) == len(over) and stream not in list(self._waiting)[: len(over)]):
            return False
        self._take_back(over[:1])
        return True

    # ---- what they tell --------------------------------------------------------------------------------

    def sent(self, stream: str, moment: float, *, replaced: bool) -> None:
        """A picture went to the consumers; `replaced`: it pushed out an older one that nobody had looked at."""
        with self._lock:
            self._judge(moment)
            if stream in self._having:  # keyframes of the others would hide what is wasted
                self._meter.sent(replaced=replaced)

    def working(self, moment: float, more: int) -> None:
        """A consumer begins (1) or ends (-1) to look at a picture."""
        with self._lock:
            self._meter.working(moment, more)

    def fell_behind(self, stream: str, moment: float) -> None:
        """A reader left pictures out because it did not keep up with its camera."""
        with self._lock:
            self._meter.late(stream, moment)

    # ---- how many turns there are ----------------------------------------------------------------------

    def _judge(self, moment: float) -> None:
        load = self._meter.window(moment)
        if load is None:
            return
        if not self._waiting:
            self.limit = None
        if moment >= self._proven_at:
            self._proven_at, self._try_again = float("inf"), TRY_AGAIN
        if moment < self._settled_at or not load.looked:
            return  # where nobody looked, as while a model is opened, nothing is known of what there is room for
        self._too_many = self._too_many + 1 if self._is_too_much(load) else 0
        self._too_few = self._too_few + 1 if self._has_room(load) else 0
        if self._too_many >= TOO_MANY:
            self._fewer(load, moment)
        elif self._too_few >= TOO_FEW and moment >= self._more_at:
            self._more(load, moment)

    def _is_too_much(self, load: Load) -> bool:
        if load.late >= max(2, len(self._having) / LATE):
            return True
        return load.busy > FULL and (load.waste > WASTE or self.limit is not None)

    def _has_room(self, load: Load) -> bool:
        having = len(self._having)
        if self.limit is None or having < self.limit or load.late:
            return False
        return load.busy * (having + 1) <= ROOM * having

    def _fewer(self, load: Load, moment: float) -> None:
        """As many as were looked at and kept up, but not less than half: decoding less leaves more for looking."""
        dense, self._too_many, self._too_few = self._dense(moment), 0, 0
        having = len(dense)
        self._meter.forget_late()
        if moment < self._proven_at < float("inf"):
            self._proven_at, self._try_again = float("inf"), min(TRY_AGAIN_MOST, self._try_again * 2)
        self._settled_at, self._more_at = moment + SETTLE_LESS, moment + self._try_again
        if having <= self._consumers:
            return
        wanted = min(having - max(1, load.late), round(having * (1 - load.waste)))
        left = max(self._consumers, math.ceil(having / 2), wanted)
        self._take_back(dense[: having - left])
        self.limit = len(self._having)

    def _more(self, load: Load, moment: float) -> None:
        """As many as would keep the consumers busy, twice as many at most."""
        having, self._too_few = len(self._having), 0
        self.limit = max(having + 1, min(2 * having, int(having * ROOM / max(load.busy, 0.01))))
        self._settled_at, self._proven_at = moment + SETTLE_MORE, moment + PROVEN

    def _dense(self, moment: float) -> list[str]:
        """Who has a turn and may lose it, the longest first."""
        shown = {stream for stream, asked in self._asked.items() if moment - asked <= RESERVED}
        return [stream for stream in self._having if stream in shown and stream not in self._sparse]

    def _take_back(self, streams: list[str]) -> None:
        for stream in streams:
            del self._having[stream]
            self._waiting[stream] = None
