"""What tests of held streams share: a demand, a backoff that does not wait, the memory of this process."""

from __future__ import annotations

import os
from pathlib import Path

from workers.vision.holder import Backoff, Demand

DEMAND = (Demand("keyframes", 0.1),)


def hurried() -> Backoff:
    """A backoff of a tenth of a second at most."""
    return Backoff(base=0.05, cap=0.1)


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
