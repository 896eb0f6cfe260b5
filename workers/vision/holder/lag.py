"""How far a reader has fallen behind its camera, and when it should leave pictures out to catch up."""

from __future__ import annotations

LATE = 0.2
"""Seconds behind the best that this connection has shown."""
PATIENCE = 0.25
"""Seconds it may stay late before pictures are left out: a burst after a hiccup of the network is soon decoded."""
_DRIFT = 0.001
_JUMP = 5.0


class Lag:
    """Fed with every packet of a live stream: its timestamp and the moment it was read (both in seconds).

    Clocks differ by a constant, which is taken from the packet that came soonest; it may drift by a thousandth.
    """

    def __init__(self) -> None:
        self._best: float | None = None
        self._at = 0.0
        self._late_since: float | None = None
        self.behind = 0.0

    def pause(self) -> None:
        """Packets were left out for another reason: being late begins anew."""
        self._late_since = None

    def add(self, pts: float | None, now: float) -> bool:
        """True while this reader is late and does not catch up by itself."""
        if pts is None:
            return False
        delay = now - pts
        if self._best is None or abs(delay - self._best) > _JUMP + self.behind:
            self._best = delay  # the first packet, or the stream's clock was set
        self._best = min(delay, self._best + (now - self._at) * _DRIFT if self._at else delay)
        self._at = now
        self.behind = delay - self._best
        if self.behind <= LATE:
            self._late_since = None
            return False
        if self._late_since is None:
            self._late_since = now
        return now - self._late_since >= PATIENCE
