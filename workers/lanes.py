"""What the sending process keeps of each endpoint: its messages in memory, its pace and its breaker (pure)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from apps.openapi.services import Prepared

CONCURRENCY = 2
REFILL_BELOW = 8
REFILL_AT_MOST_BELOW = 64
RUNWAY_SECONDS = 1.0


@dataclass(slots=True)
class Breaker:
    """Closed; after `threshold` failures in a row open for 30 s, doubling to 5 min; then one probe decides."""

    threshold: int = 5
    first_pause: float = 30.0
    longest_pause: float = 300.0
    failures: int = 0
    open_until: float = 0.0

    def is_open(self, now: float) -> bool:
        """True while the endpoint is left alone."""
        return now < self.open_until

    def is_probing(self, now: float) -> bool:
        """True when the pause is over and a single message may try."""
        return self.failures >= self.threshold and not self.is_open(now)

    def note(self, success: bool, now: float) -> None:
        """Count one outcome."""
        if success:
            self.failures, self.open_until = 0, 0.0
            return
        self.failures += 1
        if self.failures >= self.threshold:
            doubled = self.first_pause * 2.0 ** min(self.failures - self.threshold, 8)
            self.open_until = now + min(self.longest_pause, doubled)


@dataclass(slots=True)
class Lane:
    """One endpoint: what is in memory for it, and its breaker."""

    breaker: Breaker = field(default_factory=Breaker)
    waiting: deque[Prepared] = field(default_factory=deque)
    servers: int = 0
    seconds: float = 1.0

    def wants_more(self, now: float) -> bool:
        """Whether it should be filled; a lane that probes has one message at a time."""
        if self.breaker.is_open(now):
            return False
        return not self.busy if self.breaker.is_probing(now) else self.is_low

    @property
    def is_low(self) -> bool:
        """Whether less waits than the endpoint takes while the next batch is made; a slow one needs few."""
        asked = RUNWAY_SECONDS * CONCURRENCY / max(self.seconds, 0.001)
        return len(self.waiting) < min(REFILL_AT_MOST_BELOW, max(REFILL_BELOW, asked))

    def note_pace(self, seconds: float) -> None:
        """How long an answer took: a moving mean of about the last five."""
        self.seconds += (seconds - self.seconds) / 5

    @property
    def busy(self) -> bool:
        """Whether it sends now."""
        return self.servers > 0


def taken(lane: Lane) -> list[Prepared]:
    """What waited in the lane, which is empty now."""
    waiting = list(lane.waiting)
    lane.waiting.clear()
    return waiting
