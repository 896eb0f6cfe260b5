"""Processes that outlive a `kill -9` of the supervisor: a guard ends them, the next start makes sure."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import IO

from portal.launcher import lifeline, proc
from portal.launcher.folders import write_private

# Reads lines of group ids until stdin ends, then ends the groups of the last line: TERM, 8 s later KILL.
# The kernel's death signal reaches only direct children; a worker's own children share its group.
GUARD = """
trap '' INT TERM HUP
groups=
while read -r line; do groups=$line; done
[ -n "$groups" ] || exit 0
for g in $groups; do kill -s TERM -- "-$g" 2>/dev/null; done
tries=80
while [ $tries -gt 0 ]; do
  left=
  for g in $groups; do kill -s 0 -- "-$g" 2>/dev/null && left=1; done
  [ -n "$left" ] || exit 0
  sleep 0.1
  tries=$((tries - 1))
done
for g in $groups; do kill -s KILL -- "-$g" 2>/dev/null; done
exit 0
"""


class Remains:
    """The process groups now running, known to the guard and written to `processes.json`."""

    def __init__(self, data: Path) -> None:
        self.file = data / "processes.json"
        self.guard: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """End what the last run left, then start the guard."""
        end_recorded(self.file)
        self.guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def record(self, groups: list[int]) -> None:
        """These groups are ours now."""
        marks = {str(group): proc.start_mark(group) for group in groups}
        write_private(self.file, json.dumps(marks) + "\n")
        if self.guard and self.guard.stdin:
            write_line(self.guard.stdin, " ".join(str(group) for group in groups))

    def close(self) -> None:
        """All have ended: let the guard go."""
        self.record([])
        if self.guard and self.guard.stdin:
            self.guard.stdin.close()
            self.guard.wait()
        self.file.unlink(missing_ok=True)


def write_line(pipe: IO[bytes], line: str) -> None:
    """Write one line; a dead guard is no reason to stop."""
    try:
        pipe.write(line.encode() + b"\n")
        pipe.flush()
    except BrokenPipeError:
        return


def end_recorded(file: Path) -> list[int]:
    """End the groups that an earlier run recorded and that still run; returns them."""
    try:
        marks = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    # A number may have been given to another process since: the start time tells.
    groups = [int(pid) for pid, mark in marks.items() if mark and proc.start_mark(int(pid)) == mark]
    for number, seconds in ((signal.SIGTERM, 4.0), (signal.SIGKILL, 3.0)):
        for group in groups:
            try:
                os.killpg(group, number)
            except (ProcessLookupError, PermissionError):
                continue
        if lifeline.wait_until_gone(lambda: any(group_is_alive(group) for group in groups), seconds):
            break
    file.unlink(missing_ok=True)
    return groups


def group_is_alive(group: int) -> bool:
    """True while any process of the group runs."""
    return any(stat.group == group and stat.state not in {"Z", "X"} for stat in proc.all_stats())
