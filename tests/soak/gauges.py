"""Memory, descriptors and threads of each process over time, and their slope per hour (least squares)."""

from __future__ import annotations

import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.launcher import proc

WARM_UP = 30.0
"""Seconds of a process's life that tell of its start, not of a leak."""
SHORTEST_LIFE = 20.0
KINDS = ("memory_mb", "descriptors", "threads")


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at one process with its descendants. memory in MiB, proportional where the kernel tells."""

    at: float
    pid: int
    memory_mb: float
    descriptors: int
    threads: int


@dataclass
class Gauges:
    """`read` now and then; `report` at the end."""

    readings: dict[str, list[Reading]] = field(default_factory=lambda: defaultdict(list))

    def read(self, pids: Mapping[str, int]) -> None:
        """One reading of each process that lives."""
        moment = time.monotonic()
        for name, pid in pids.items():
            members = [stat.pid for stat in proc.tree(pid)]
            if not members:
                continue
            memory = sum(map(memory_mb, members))
            files = sum(map(descriptors, members))
            self.readings[name].append(Reading(moment, pid, memory, files, sum(map(threads, members))))

    def report(self) -> dict[str, dict[str, Any]]:
        """Name → lives, and for each kind first, last, most and slope per hour (None: too short a time)."""
        found: dict[str, dict[str, Any]] = {}
        for name, rows in sorted(self.readings.items()):
            values: dict[str, Any] = {"lives": len({row.pid for row in rows}), "readings": len(rows)}
            for kind in KINDS:
                numbers = [getattr(row, kind) for row in rows]
                values[kind] = {
                    "first": round(numbers[0], 1),
                    "last": round(numbers[-1], 1),
                    "most": round(max(numbers), 1),
                    "slope_per_hour": slope(rows, kind),
                }
            found[name] = values
        return found


def slope(rows: list[Reading], kind: str) -> float | None:
    """Least squares per hour over all lives of a process, each life with its own level, its start left out.

    Σ(t−t̄)(y−ȳ) ÷ Σ(t−t̄)² with the means of each life: what a restart gives back is no slope.
    """
    lives: dict[int, list[Reading]] = defaultdict(list)
    for row in rows:
        lives[row.pid].append(row)
    above = below = longest = 0.0
    for life in lives.values():
        steady = [row for row in life if row.at - life[0].at >= WARM_UP]
        if len(steady) < 3 or steady[-1].at - steady[0].at < SHORTEST_LIFE:
            continue
        longest = max(longest, steady[-1].at - steady[0].at)
        middle = sum(row.at for row in steady) / len(steady)
        level = sum(getattr(row, kind) for row in steady) / len(steady)
        above += sum((row.at - middle) * (getattr(row, kind) - level) for row in steady)
        below += sum((row.at - middle) ** 2 for row in steady)
    return round(above / below * 3600, 2) if below else None


def memory_mb(pid: int) -> float:
    """Proportional set size: shared pages are counted once over all who share them; else the resident set."""
    with contextlib.suppress(OSError):
        return _kilobytes(f"/proc/{pid}/smaps_rollup", "Pss:") / 1024
    with contextlib.suppress(OSError):
        return _kilobytes(f"/proc/{pid}/status", "VmRSS:") / 1024
    return 0.0


def descriptors(pid: int) -> int:
    """Open files and sockets."""
    with contextlib.suppress(OSError):
        return len(os.listdir(f"/proc/{pid}/fd"))
    return 0


def threads(pid: int) -> int:
    """Threads of one process."""
    with contextlib.suppress(OSError):
        return int(_kilobytes(f"/proc/{pid}/status", "Threads:"))
    return 0


def _kilobytes(path: str, word: str) -> float:
    with open(path, encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith(word):
                return float(line.split()[1])
    return 0.0
