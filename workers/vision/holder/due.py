"""Which demands are due for a frame of a given time."""

from __future__ import annotations

from collections.abc import Sequence

from workers.vision.holder.wishes import Demand


class DueGate:
    """Keeps the next due time of each demand; a frame may be a tenth of an interval early (0.5 s at most)."""

    def __init__(self) -> None:
        self._next: dict[Demand, float] = {}
        self.needs_all = False
        """Some demand can only be met by decoding every packet."""

    def update(self, demands: Sequence[Demand]) -> None:
        """Take over a new list; demands that stay keep their phase, new ones are due at once."""
        self._next = {demand: self._next.get(demand, float("-inf")) for demand in demands}
        self.needs_all = any(demand.kind == "fps" for demand in demands)

    def due(self, moment: float, *, keyframe: bool) -> tuple[Demand, ...]:
        """The demands that a frame of this time (seconds) would serve; nothing is taken off yet."""
        return tuple(
            demand
            for demand, at in self._next.items()
            if (keyframe or demand.kind == "fps") and moment >= at - min(0.5, demand.interval_s / 10)
        )

    def serve(self, demands: Sequence[Demand], moment: float) -> None:
        """They got their frame: the next is due one interval later, in the same phase where possible."""
        for demand in demands:
            at = self._next.get(demand)
            if at is None:
                continue
            following = at + demand.interval_s
            behind = moment - at > demand.interval_s
            self._next[demand] = moment + demand.interval_s if behind else following
