"""A process that is replaced by a younger one without its work standing still.

`Parent` runs one child. When the child has grown too large or too old it starts a successor beside it, lets that
warm up, tells the old one to let go, and then lets the successor begin. A child that dies is started again.
The two talk over two pipes, one byte each: the child says READY (warm), GONE (it delivers no more); the parent says GO,
and LAST when it ends itself: nobody follows.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

logger = logging.getLogger("workers.management.succession")  # also where this is run as a program
ROOT = Path(__file__).resolve().parents[2]
READY, GONE, GO, LAST = b"r", b"g", b"!", b"."
WARM_SECONDS = 60.0
LET_GO_SECONDS = 10.0
END_SECONDS = 9.0
RETRY_SECONDS = 300.0
CHILD = "VANTAGE_SUCCESSION"
"""Environment: `<descriptor to read from>,<descriptor to write to>` of a child."""


class Life:
    """The child's side. Without a parent it is active from the start."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.active = threading.Event()
        self._last = threading.Event()
        self._read: int | None = None
        self._write: int | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.ended.set())
        told = os.environ.pop(CHILD, "")
        if not told:
            self.active.set()
            return
        self._read, self._write = (int(part) for part in told.split(","))
        threading.Thread(target=self._listen, name="parent", daemon=True).start()

    def _listen(self) -> None:
        assert self._read is not None
        while word := os.read(self._read, 1):
            (self._last if word == LAST else self.active).set()
        self.ended.set()  # the pipe's other end was closed: the parent is gone

    @property
    def is_last(self) -> bool:
        """Told to end, and nobody follows: others may have what it leased. False for one that is replaced."""
        return self._read is None or self._last.wait(0.5)  # the word and the signal come by two ways

    def ready(self) -> None:
        """Warm: the predecessor may let go."""
        self._say(READY)

    def gone(self) -> None:
        """Nothing is delivered by this process any more; what it still holds it closes at leisure."""
        self._say(GONE)

    def _say(self, word: bytes) -> None:
        if self._write is not None:
            try:
                os.write(self._write, word)
            except OSError:
                return


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    words: int
    orders: int
    born: float = field(default_factory=time.monotonic)
    said: bytes = b""

    def listen(self, timeout: float) -> None:
        """Take in what it says within `timeout` seconds."""
        if select.select([self.words], [], [], timeout)[0]:
            self.said += os.read(self.words, 16)

    def waits_for(self, word: bytes, seconds: float, stop: Callable[[], bool] = lambda: False) -> bool:
        """True when it said `word` in time; False when it did not, or ended, or `stop` says so."""
        ends = time.monotonic() + seconds
        while word not in self.said and time.monotonic() < ends:
            if self.process.poll() is not None or stop():
                return False
            self.listen(0.1)
        return word in self.said

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.born

    def megabytes(self) -> float:
        """Resident memory; 0 once it ended."""
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def order(self, word: bytes) -> None:
        """Say a word to it."""
        try:
            os.write(self.orders, word)
        except OSError:
            logger.warning("child %d was gone before it was told", self.process.pid)

    def tell(self) -> None:
        """To end."""
        if self.process.poll() is None:
            self.process.terminate()

    def end(self, seconds: float) -> None:
        """Politely, then not."""
        self.tell()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.words)
        os.close(self.orders)


class Parent:
    """`run` until `ended`. max_megabytes and max_seconds: beyond them a child is replaced; 0 means never."""

    def __init__(
        self, command: Sequence[str], *, max_megabytes: float = 0, max_seconds: float = 0, look: float = 1.0
    ) -> None:
        self.command = list(command)
        self.max_megabytes, self.max_seconds, self.look = max_megabytes, max_seconds, look
        self.replaced = self.crashed = 0
        self._ended = threading.Event()
        self._child: _Child | None = None
        self._leaving: list[_Child] = []
        self._not_before = 0.0
        self._pause = 0.0

    @property
    def pid(self) -> int:
        """The present child's; 0 when there is none."""
        return self._child.process.pid if self._child is not None else 0

    def run(self, ended: threading.Event) -> None:
        """Children end with this process, however it ends: they see their pipe close."""
        self._ended = ended
        try:
            while not ended.is_set():
                self.step()
                ended.wait(self.look)
        finally:
            children = [*self._leaving, *([self._child] if self._child else [])]
            if self._child is not None:
                self._child.order(LAST)
            for child in children:
                child.tell()
            for child in children:
                child.end(END_SECONDS)

    def step(self) -> None:
        """One look at the child."""
        for child in [child for child in self._leaving if child.process.poll() is not None]:
            self._leaving.remove(child)
            child.end(0)
        if self._child is None:
            self._child = self._start()
            self._child.order(GO)
        elif (code := self._child.process.poll()) is not None:
            self._bury(self._child, code)
        elif self._is_due(self._child):
            self._replace(self._child)

    def _bury(self, child: _Child, code: int) -> None:
        """It died: the next one starts at once, or after a pause where it did not live long."""
        self.crashed += 1
        self._pause = 0.0 if child.age > 10 else min(30.0, max(0.5, self._pause * 2))
        logger.error("child %d ended with %d; another starts in %.1f s", child.process.pid, code, self._pause)
        child.end(0)
        self._child = None
        self._ended.wait(self._pause)

    def _is_due(self, child: _Child) -> bool:
        if time.monotonic() < self._not_before:
            return False
        too_old = 0 < self.max_seconds < child.age
        too_large = 0 < self.max_megabytes < child.megabytes()
        return too_old or too_large

    def _replace(self, old: _Child) -> None:
        logger.info("child %d is replaced: %.0f MB after %.0f s", old.process.pid, old.megabytes(), old.age)
        young = self._start()
        if not young.waits_for(READY, WARM_SECONDS, self._ended.is_set):
            if self._ended.is_set():
                self._leaving.append(young)
                return
            logger.error("the successor did not get ready; the old child goes on")
            young.end(LET_GO_SECONDS)
            self._not_before = time.monotonic() + RETRY_SECONDS
            return
        old.process.terminate()
        if not old.waits_for(GONE, LET_GO_SECONDS) and old.process.poll() is None:
            old.process.kill()  # two that deliver would be worse than a short gap
            old.process.wait()
        young.order(GO)
        self._child = young
        self._leaving.append(old)
        self.replaced += 1

    def _start(self) -> _Child:
        words, child_words = os.pipe()
        child_orders, orders = os.pipe()
        environment = {**os.environ, CHILD: f"{child_orders},{child_words}"}
        try:
            process = subprocess.Popen(self.command, env=environment, pass_fds=(child_orders, child_words))
        finally:
            os.close(child_words)
            os.close(child_orders)
        return _Child(process, words, orders)


def become_parent(command: Sequence[str], *, max_megabytes: float, max_seconds: float) -> None:
    """Turn this process into a parent without the libraries it has loaded: 15 MB instead of what its child needs."""
    own = [
        sys.executable,
        "-m",
        "workers.management.succession",
        str(max_megabytes),
        str(max_seconds),
        *command,
    ]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.execve(sys.executable, own, {**os.environ, "PYTHONPATH": path})  # noqa: S606 - no shell; the list is our own


class _Lines(logging.Formatter):
    """The lines of `apps.core.logs`, without what that needs of Django."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
        words = {"level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        return json.dumps({"at": at, **words}, ensure_ascii=False)


def main(arguments: Sequence[str]) -> None:
    """`MEGABYTES SECONDS COMMAND…`: run until SIGTERM."""
    from workers.management.stopping import ended_by_signal

    handler = logging.StreamHandler()
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    ended = ended_by_signal()
    Parent(arguments[2:], max_megabytes=float(arguments[0]), max_seconds=float(arguments[1])).run(ended)


def own_command(*arguments: str) -> list[str]:
    """This project's manage.py with these arguments."""
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


if __name__ == "__main__":
    main(sys.argv[1:])
