"""Results on their way to the writer: a Redis list of MessagePack values, taken over reliably."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgpack
from django.conf import settings

from apps.core import clock
from apps.core.wake import client

logger = logging.getLogger(__name__)
WAITING = "vantage:results"
TAKEN = "vantage:results:taken"
DEAD = "vantage:results:dead"
MOST_WAITING = 200_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FrameResults:
    """All results of one frame. `slot` is None for a live frame; `frame` is its path, empty when there is none.

    `answered`: when the analysis gave them, seconds since the epoch.
    """

    slot: UUID | None
    camera: UUID
    preset: int
    time: datetime
    frame: str
    width: int
    height: int
    results: list[dict[str, Any]] = field(default_factory=list)
    answered: float = field(default_factory=lambda: clock.now().timestamp())

    @property
    def has_hits(self) -> bool:
        """Whether anybody found something on it."""
        return any(answer["hits"] for answer in self.results)

    def packed(self) -> bytes:
        """MessagePack."""
        return bytes(
            msgpack.packb(
                [
                    str(self.slot) if self.slot else "",
                    str(self.camera),
                    self.preset,
                    (self.time - _EPOCH) // timedelta(microseconds=1),
                    self.frame,
                    self.width,
                    self.height,
                    self.results,
                    self.answered,
                ]
            )
        )

    @classmethod
    def unpacked(cls, data: bytes) -> FrameResults:
        """Raises ValueError for anything else."""
        try:
            slot, camera, preset, micros, *rest = msgpack.unpackb(data)
            frame, width, height, results, answered = rest
            at = _EPOCH + timedelta(microseconds=micros)
            identifier = UUID(slot) if slot else None
            return cls(identifier, UUID(camera), preset, at, frame, width, height, results, answered)
        except (TypeError, AttributeError, msgpack.UnpackException) as error:
            raise ValueError("not a result") from error


def not_analysed(execution: UUID | str, reason: str) -> dict[str, Any]:
    """A result in the engine's shape that says why nobody looked."""
    return {
        "execution": str(execution),
        "outcome": "not_analysed",
        "reason": reason,
        "hits": [],
        "timings": {},
    }


def push(batch: Iterable[FrameResults]) -> bool:
    """Hand results to the writer. False when the broker is away: the slots stay open and are done again."""
    items = list(batch)
    values = [item.packed() for item in items]
    if not values:
        return True
    try:
        if settings.VANTAGE_LEND_HITS:
            _lend(items)
        length = client().lpush(WAITING, *values)
    except Exception as error:
        logger.warning("%d results not sent: %s", len(values), type(error).__name__)
        return False
    if isinstance(length, int) and length > MOST_WAITING:
        client().ltrim(WAITING, 0, MOST_WAITING - 1)
        logger.error("results: more than %d wait for the writer; the oldest were dropped", MOST_WAITING)
    return True


def _lend(items: Iterable[FrameResults]) -> None:
    """Pictures of hits, for a writer that does not see this node's frames. One that is not lent costs its picture."""
    from workers.capture import shared  # the package it lies in needs this module

    for item in items:
        if not (item.has_hits and item.frame):
            continue
        path = Path(item.frame)
        try:
            shared.put(shared.hit_name(path), path.read_bytes(), shared.HIT_SECONDS)
        except OSError as error:
            logger.warning("the picture of a hit was not lent: %s", error)


def taken(fence: int) -> str:
    """Where the writer of this fence keeps what it works on: one that wakes too late empties only its own list."""
    return f"{TAKEN}:{fence}"


def take_batch(most: int = 1000, seconds: float = 0.1, idle: float = 1.0, *, fence: int = 0) -> list[bytes]:
    """Up to `most` values: waits `idle` s for the first, then `seconds` for more. They stay taken until `done`."""
    redis, own = client(), taken(fence)
    first: Any = redis.blmove(WAITING, own, idle, src="RIGHT", dest="LEFT")  # type: ignore[arg-type]
    if first is None:
        return []
    batch: list[bytes] = [first]
    ends = time.monotonic() + seconds
    while len(batch) < most:
        pipe = redis.pipeline(transaction=False)
        for _ in range(min(100, most - len(batch))):
            pipe.lmove(WAITING, own, src="RIGHT", dest="LEFT")
        more: list[Any] = [value for value in pipe.execute() if value is not None]
        batch += more
        if time.monotonic() >= ends:
            break
        if not more:
            time.sleep(min(0.01, max(0.0, ends - time.monotonic())))
    return batch


def done(fence: int = 0) -> None:
    """The batch of this fence is committed."""
    client().delete(taken(fence))


def recover() -> int:
    """Put back what earlier writers took and did not finish; returns how many."""
    number = 0
    for own in client().scan_iter(f"{TAKEN}:*"):
        while client().lmove(own, WAITING, src="LEFT", dest="RIGHT") is not None:
            number += 1
    return number


def bury(value: bytes) -> None:
    """Keep a value that cannot be written, for a person to look at."""
    pipe = client().pipeline(transaction=False)
    pipe.lpush(DEAD, value)
    pipe.ltrim(DEAD, 0, 999)
    pipe.execute()


def waiting() -> int:
    """How many values wait for the writer."""
    redis = client()
    lists = [WAITING, *redis.scan_iter(f"{TAKEN}:*")]
    return sum(int(redis.llen(one)) for one in lists)


def dead_results() -> int:
    """How many values were put aside as unreadable."""
    return int(client().llen(DEAD))
