"""Reading `/proc`: which processes live, what they run, how much CPU they used."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class ProcessStat:
    """One line of `/proc/<pid>/stat`; `cpu_seconds` includes the children it has waited for."""

    pid: int
    parent: int
    group: int
    state: str
    cpu_seconds: float
    start_ticks: int


def read_stat(pid: int) -> ProcessStat | None:
    """The process's stat, or None where it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in parentheses may hold spaces and parentheses: count from the last one.
    fields = text.rpartition(")")[2].split()
    ticks = sum(int(value) for value in fields[11:15])
    return ProcessStat(
        pid=pid,
        parent=int(fields[1]),
        group=int(fields[2]),
        state=fields[0],
        cpu_seconds=ticks / TICKS_PER_SECOND,
        start_ticks=int(fields[19]),
    )


def is_alive(pid: int) -> bool:
    """True while the process runs; a zombie is not alive."""
    stat = read_stat(pid)
    return stat is not None and stat.state not in {"Z", "X"}


def start_mark(pid: int) -> str | None:
    """Boot and start time of the process: with its number they name it for ever. None where it is gone."""
    stat = read_stat(pid)
    if stat is None:
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}/{stat.start_ticks}"


def command_line(pid: int) -> list[str]:
    """The arguments the process was started with; empty where it is gone."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [part.decode("utf-8", "replace") for part in raw.split(b"\0") if part]


def all_stats() -> Iterator[ProcessStat]:
    """Every process that can be read now."""
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat := read_stat(int(name))):
            yield stat


def tree(root: int) -> list[ProcessStat]:
    """The process and all its living descendants."""
    stats = {stat.pid: stat for stat in all_stats()}
    children: dict[int, list[int]] = {}
    for stat in stats.values():
        children.setdefault(stat.parent, []).append(stat.pid)
    found, pending = [], [root]
    while pending:
        pid = pending.pop()
        if pid in stats:
            found.append(stats[pid])
        pending.extend(children.get(pid, ()))
    return found


def tree_cpu_seconds(root: int) -> float:
    """CPU seconds used so far by the process, its living descendants and those they have waited for."""
    return sum(stat.cpu_seconds for stat in tree(root))
