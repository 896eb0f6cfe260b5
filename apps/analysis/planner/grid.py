"""Where the slots of a camera lie: phase + k × base. Pure arithmetic, the same after every restart."""

from __future__ import annotations

import hashlib
import math
from uuid import UUID

STEP = 0.001
"""Seconds; intervals and phases are whole milliseconds, as the time inside a slot's id is."""


def phase_of(camera: UUID, preset: int, base: float) -> float:
    """A stable offset in [0, base) seconds, so that cameras do not all come due at once."""
    digest = hashlib.sha256(f"{camera}:{preset}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return math.floor(share * base / STEP) * STEP


def next_index(phase: float, base: float, at: float) -> int:
    """The number of the first slot at or after `at` (seconds since the epoch)."""
    return math.ceil((at - phase) / base - 1e-9)


def slot_time(phase: float, base: float, index: int) -> float:
    """Seconds since the epoch of slot number `index`, to the millisecond."""
    return round(phase + index * base, 3)


def is_due(phase: float, base: float, index: int, interval: float) -> bool:
    """Does an execution of this interval take slot `index`? It takes the first slot at or after each due time.

    Due times are phase + j × interval, so two planners always agree without remembering anything.
    """
    now, before = index * base, (index - 1) * base
    return math.floor(now / interval + 1e-9) > math.floor(before / interval + 1e-9)
