"""What tests of held streams share: a demand, and a backoff that does not wait."""

from __future__ import annotations

from workers.vision.holder import Backoff, Demand

DEMAND = (Demand("keyframes", 0.1),)


def hurried() -> Backoff:
    """A backoff of a tenth of a second at most."""
    return Backoff(base=0.05, cap=0.1)
