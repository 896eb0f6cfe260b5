"""How many cores the demo takes when it has settled, by process."""

import os
from collections.abc import Callable

from portal.launcher import proc

WINDOW_SECONDS = 30.0


def sample(pids: dict[str, int]) -> dict[str, float]:
    """CPU seconds used so far by each named process with its descendants."""
    return {name: proc.tree_cpu_seconds(pid) for name, pid in pids.items()}


def measure(pids: Callable[[], dict[str, int]], wait: Callable[[float], bool]) -> dict[str, float] | None:
    """Cores by name over the window; None where `wait` says stop or a process was replaced."""
    before_pids = pids()
    before = sample(before_pids)
    if wait(WINDOW_SECONDS) or pids() != before_pids:
        return None
    after = sample(before_pids)
    return {name: max(0.0, after[name] - before[name]) / WINDOW_SECONDS for name in before}


def summary(cores: dict[str, float]) -> str:
    """`steady state: 0.61 cores of 2 (engine 0.30, streams 0.12, …)`."""
    parts = ", ".join(
        f"{name} {value:.2f}" for name, value in sorted(cores.items(), key=lambda item: -item[1])
    )
    total = sum(cores.values())
    return f"steady state: {total:.2f} cores of {os.cpu_count()} over {WINDOW_SECONDS:.0f} s ({parts})"
