"""Keeps the processes of a Procfile running: one group each, restarted with backoff, ended together.

Their output goes to `DATA/logs/<name>.log`; the console gets one line when something happens.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.launcher import lifeline
from portal.launcher.folders import private_folder
from portal.launcher.layout import ROOT
from portal.launcher.procfile import ProcessSpec
from portal.launcher.remains import Remains

BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
STEADY_SECONDS = 60.0  # having run that long, a process starts again with the shortest wait
STOP_SECONDS = 8.0
LOG_BYTES = 32 * 1024 * 1024
POLL_SECONDS = 0.2


@dataclass
class Managed:
    """One process and its history; times are monotonic seconds."""

    spec: ProcessSpec
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    due_at: float = 0.0
    restarts: int = 0


class Supervisor:
    """Start, `tend()` in a loop from one thread, stop. `say` gets the console lines."""

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        data: Path,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        folder: Path = ROOT,
    ) -> None:
        self.data = data
        self.environment = dict(environment)
        self.say = say
        self.folder = folder
        self.remains = Remains(data)
        logs = private_folder(data / "logs")
        self.managed = [Managed(spec, logs / f"{spec.name}.log") for spec in specs]
        self._next_trim = 0.0

    def start(self, first: str | None = None, head_start: float = 0.0) -> None:
        """Start every process. With `first`, that one alone at once and the others `head_start` seconds later.

        Each process spends seconds of CPU on its imports: on two cores the web answers sooner when it goes first.
        """
        self.remains.open()
        later = time.monotonic() + head_start
        for managed in self.managed:
            if first is None or managed.spec.name == first:
                self._launch(managed)
            else:
                managed.due_at = later
        self._record()

    def release(self) -> None:
        """End the head start: the next `tend` starts what waits for it."""
        for managed in self.managed:
            if managed.process is None and not managed.started_at:
                managed.due_at = 0.0

    def tend(self) -> None:
        """One look at all processes: report the ended, start those that are due, bound the logs."""
        now = time.monotonic()
        changed = False
        for managed in self.managed:
            if managed.process is not None and managed.process.poll() is not None:
                self._note_end(managed, managed.process, now)
                changed = True
            if managed.process is None and now >= managed.due_at:
                managed.restarts += bool(managed.started_at)
                self._launch(managed)
                changed = True
        if changed:
            self._record()
        if now >= self._next_trim:
            self._next_trim = now + 60
            for managed in self.managed:
                trim_log(managed.log)

    def run(self, until: Callable[[float], bool]) -> None:
        """Tend until `until(POLL_SECONDS)` (which waits that long) says stop."""
        while not until(POLL_SECONDS):
            self.tend()

    def stop(self) -> None:
        """End every group within 10 s: SIGTERM to the processes, then SIGKILL to what is left of a group."""
        running = {m.spec.name: m.process for m in self.managed if m.process is not None}
        for process in running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for name, process in running.items():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"{name} did not end in {STOP_SECONDS:.0f} s and was killed")
            lifeline.signal_group(process, signal.SIGKILL)
        for process in running.values():
            process.wait()
        for managed in self.managed:
            managed.process = None
        self.remains.close()

    def pids(self) -> dict[str, int]:
        """Name → process id of those now running."""
        return {m.spec.name: m.process.pid for m in self.managed if m.process and m.process.poll() is None}

    def _launch(self, managed: Managed) -> None:
        with managed.log.open("ab") as log:
            managed.process = lifeline.spawn(
                ["/bin/sh", "-c", f"exec {managed.spec.command}"],
                environment={**self.environment, "VANTAGE_PROCESS": managed.spec.name},
                output=log,
                folder=self.folder,
            )
        managed.started_at = time.monotonic()

    def _note_end(self, managed: Managed, process: subprocess.Popen[bytes], now: float) -> None:
        lifeline.signal_group(process, signal.SIGKILL)  # its own children must not fight with the next one's
        if now - managed.started_at >= STEADY_SECONDS:
            managed.failures = 0
        wait = BACKOFF_SECONDS[min(managed.failures, len(BACKOFF_SECONDS) - 1)]
        managed.failures += 1
        managed.process = None
        managed.due_at = now + wait
        status = process.returncode
        how = f"by signal {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        self.say(f"{managed.spec.name} ended {how}, starts again in {wait:.0f} s; log: {managed.log}")
        if last := last_line(managed.log):
            self.say(f"  {last}")

    def _record(self) -> None:
        self.remains.record([managed.process.pid for managed in self.managed if managed.process])


def last_line(path: Path, width: int = 300) -> str:
    """The last line of a log that says something, cut to the width."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.strip()[:width] for line in reversed(lines) if line.strip()), "")


def trim_log(path: Path, limit: int = LOG_BYTES) -> None:
    """Keep a log bounded: its newest part moves to `.1`; the file, open for appending, starts again."""
    try:
        size = path.stat().st_size
        if size <= limit:
            return
        with path.open("rb") as file:
            file.seek(size - limit // 4)
            path.with_suffix(".log.1").write_bytes(file.read(limit // 4))
        os.truncate(path, 0)
    except OSError:
        return
