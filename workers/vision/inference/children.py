"""One child process per model group, so that a GPU's memory comes back and a crash takes down one group only.

A group is an algorithm package (or all the built-in analysers). A child that crashes is started again; one
that crashed `MAX_CRASHES` times within `CRASH_WINDOW` rests until the window has passed: no crash loop. What was with
a child when it ended is tried again alone; a frame that ends `MOST_ENDS` children is given up, and counts as one crash.

Children share the device. Where it is full, one whose executions nobody asks for ends, then one of a lower priority
that allows it (precedence.py); what was pushed out runs on the CPU until the other has gone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workers.vision.engine_client import EngineError, EnginePool, EngineUnavailable, wait_for_engine
from workers.vision.inference.engine import FrameRef
from workers.vision.inference.precedence import Claims, Rank
from workers.vision.inference.results import Result, not_analysed
from workers.vision.outcomes import Reason

log = logging.getLogger(__name__)

MAX_CRASHES = 3
CRASH_WINDOW = 60.0
MOST_ENDS = 3
GONE_SECONDS = 2.0
START_SECONDS = 60.0
TOLD = 20
"""So many of the last pre-emptions are told in the statistics."""
ANALYSERS = "analysers"


class FrameGivenUp(EngineError):
    """This frame ended one child after the other."""

    def __init__(self) -> None:
        super().__init__("engine_crashed", f"a frame ended {MOST_ENDS} children: given up")


class EngineBusy(EngineError):
    """All children are held by work that this one may not push out."""

    def __init__(self) -> None:
        super().__init__("engine_busy", "every child serves work that may not be pre-empted by this")


class _Child:
    def __init__(self, socket_path: Path, threads: int, model_bytes: int) -> None:
        self.path = socket_path
        self.used = time.monotonic()
        command = [sys.executable, "-m", "workers.vision.inference.child", str(socket_path)]
        self.process = subprocess.Popen([*command, str(os.getpid()), str(threads), str(model_bytes)])
        self.pool = EnginePool(socket_path, size=threads)
        if not wait_for_engine(socket_path, START_SECONDS):
            self.end()
            raise EngineUnavailable("a child engine did not start")

    def alive(self) -> bool:
        return self.process.poll() is None

    def analyse(self, item: Mapping[str, Any]) -> list[Result]:
        """Raises `EngineUnavailable`, `went_away` where the process ended; it is gone by then."""
        try:
            return self.pool.analyse([item])[0]
        except EngineUnavailable as error:
            with contextlib.suppress(
                subprocess.TimeoutExpired
            ):  # its connections close a moment before it is gone
                self.process.wait(GONE_SECONDS)
            error.went_away = not self.alive()
            raise

    def end(self, seconds: float = 10.0) -> None:
        self.pool.close()
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.path.unlink(missing_ok=True)


class EngineChildren:
    """Serves like `Engine`, by children; at most `limit` of them, the longest unused ends first."""

    def __init__(
        self, folder: Path, *, limit: int = 8, threads: int = 4, model_bytes: int = 2 * 2**30
    ) -> None:
        self.folder = folder
        self.limit = limit
        self.restarts = 0
        self.preempted = 0
        self.preemptions: deque[dict[str, Any]] = deque(maxlen=TOLD)
        self._claims = Claims()
        self._pushed_out: dict[str, str] = {}
        """Groups that lost their room → the group that got it; until that one is held by nobody."""
        self._making = threading.Lock()
        self._threads = threads
        self._model_bytes = model_bytes
        self._children: dict[str, _Child] = {}
        self._crashes: dict[str, deque[float]] = {}
        self._lock = threading.Lock()
        self._starting: dict[str, threading.Lock] = {}
        self._alone: dict[str, threading.Lock] = {}

    def analyse(
        self, frame: FrameRef, specs: Sequence[Mapping[str, Any]], *, may_fall_back: bool = True
    ) -> list[Result]:
        """Like `Engine.analyse`; a group whose child fails answers not_analysed(engine_restarted)."""
        groups: dict[str, list[int]] = {}
        for index, spec in enumerate(specs):
            groups.setdefault(_group(spec), []).append(index)
        results: dict[int, Result] = {}
        for group, indices in groups.items():
            answers = self._ask(group, frame, [specs[index] for index in indices])
            results.update(zip(indices, answers, strict=True))
        return [results[index] for index in range(len(specs))]

    def stats(self) -> dict[str, Any]:
        with self._lock:
            children = dict(self._children)
        shown = {}
        for group, child in children.items():
            try:
                shown[group] = {"pid": child.process.pid, **child.pool.stats()}
            except EngineError:
                shown[group] = {"pid": child.process.pid, "unavailable": True}
        return {
            "children": shown,
            "restarts": self.restarts,
            "preempted": self.preempted,
            "preemptions": list(self.preemptions),
        }

    def unload(self) -> int:
        """End the children; their device memory comes back with them."""
        with self._lock:
            gone, self._children = list(self._children.values()), {}
        for child in gone:
            child.end()
        return len(gone)

    close = unload

    def _ask(self, group: str, frame: FrameRef, specs: list[Mapping[str, Any]]) -> list[Result]:
        seconds, micros = int(frame.time.timestamp()), frame.time.microsecond
        item = {
            "frame": {
                "path": str(frame.path),
                "time_us": seconds * 1_000_000 + micros,
                "look": str(frame.look) if frame.look else None,
            },
            "executions": specs,
        }
        rank = Rank.of(Rank.from_spec(spec) for spec in specs)
        self._claims.note(group, rank)
        reason = Reason.ENGINE_RESTARTED
        try:
            self._come_back(group)
            answers = self._ask_again(group, rank, item)
            if _has_no_room(answers):
                with self._making:
                    while _has_no_room(answers) and self._others(group, rank):
                        self._push_out(self._others(group, rank)[0], group, rank)
                        answers = self._ask_child(group, rank, item)
            return answers
        except EngineBusy:
            reason = Reason.ENGINE_BUSY
        except FrameGivenUp as error:
            log.error("engine child of group %s: %s (%s)", group[:12], error, frame.path.name)
            reason = Reason.ENGINE_CRASHED
        except EngineError as error:
            log.warning("engine child of group %s: %s", group[:12], error)
        return [not_analysed(str(spec.get("execution", "")), reason) for spec in specs]

    def _ask_again(self, group: str, rank: Rank, item: Mapping[str, Any]) -> list[Result]:
        """Where the child ends under it: again, without any other of that kind beside it."""
        for number in range(MOST_ENDS):
            with self._alone_of(group) if number else contextlib.nullcontext():
                try:
                    return self._ask_child(group, rank, item)
                except EngineUnavailable as error:
                    if not error.went_away:
                        raise
                    log.warning("engine child of group %s: %s", group[:12], error)
        self._count_once(group)
        raise FrameGivenUp

    def _alone_of(self, group: str) -> threading.Lock:
        with self._lock:
            return self._alone.setdefault(group, threading.Lock())

    def _count_once(self, group: str) -> None:
        """The crashes of one frame are one, or three bad frames' neighbours would rest after the first."""
        with self._lock:
            starting = self._starting.setdefault(group, threading.Lock())
        with starting:
            with self._lock:
                child = self._children.get(group)
            if child is not None and not child.alive():
                self._note_crash(group, child)
            crashes = self._crashes.get(group, deque())
            for _ in range(min(MOST_ENDS - 1, len(crashes) - 1)):
                crashes.pop()

    def _ask_child(self, group: str, rank: Rank, item: Mapping[str, Any]) -> list[Result]:
        """Its child may only leave the device for the CPU where nobody is left to make room for it."""
        may_fall_back = not self._others(group, rank)
        return self._child(group, rank).analyse({**item, "may_fall_back": may_fall_back})

    def _others(self, group: str, rank: Rank) -> list[str]:
        """Groups with a child whose room this one may have, in the order in which they are to go."""
        with self._lock:
            present = [name for name in self._children if name not in (group, ANALYSERS)]
        unheld = [name for name in present if self._claims.holder(name) is None]
        on_device = [name for name in present if name not in self._pushed_out]
        return [*unheld, *map(str, self._claims.preempted_by(rank, on_device))]

    def _push_out(self, victim: str, group: str, rank: Rank) -> None:
        """End a child; where it was held, this is a pre-emption, which the log and the statistics tell."""
        holder = self._claims.holder(victim)
        if holder is not None:
            self._pushed_out[victim] = group
            self.preempted += 1
            told = {"group": victim, "priority": holder.priority, "by": group, "by_priority": rank.priority}
            self.preemptions.append({**told, "at": datetime.now(UTC).isoformat(timespec="milliseconds")})
            log.warning(
                "engine child of group %s (priority %d) is pre-empted by group %s (priority %d)",
                victim[:12], holder.priority, group[:12], rank.priority,
            )  # fmt: skip
        self._end(victim)

    def _come_back(self, group: str) -> None:
        """Once nobody asks any more for what took its room, a group that was pushed out begins anew on the device."""
        by = self._pushed_out.get(group)
        if by is None or self._claims.holder(by) is not None:
            return
        if self._pushed_out.pop(group, None) is not None:
            self._end(group)

    def _end(self, group: str) -> None:
        with self._lock:
            child = self._children.pop(group, None)
        if child is not None:
            child.end()

    def _child(self, group: str, rank: Rank) -> _Child:
        if group in self._pushed_out:
            with self._making:  # the room it had is being filled just now
                pass
        return self._present_child(group, rank)

    def _present_child(self, group: str, rank: Rank) -> _Child:
        with self._lock:
            starting = self._starting.setdefault(group, threading.Lock())
        with starting:
            with self._lock:
                child = self._children.get(group)
            if child is not None and child.alive():
                child.used = time.monotonic()
                return child
            if child is not None:
                self._note_crash(group, child)
            self._refuse_crash_loop(group)
            self._make_room(group, rank)
            name = f"engine-{os.getpid()}-{abs(hash(group)) % 10**8:08d}.sock"
            child = _Child(self.folder / name, self._threads, self._model_bytes)
            with self._lock:
                self._children[group] = child
            return child

    def _note_crash(self, group: str, child: _Child) -> None:
        log.error("engine child of group %s ended with %s", group[:12], child.process.returncode)
        self.restarts += 1
        self._crashes.setdefault(group, deque(maxlen=MAX_CRASHES)).append(time.monotonic())
        child.pool.close()
        with self._lock:
            self._children.pop(group, None)

    def _refuse_crash_loop(self, group: str) -> None:
        crashes = self._crashes.get(group, deque())
        if len(crashes) == MAX_CRASHES and time.monotonic() - crashes[0] < CRASH_WINDOW:
            raise EngineUnavailable(f"it crashed {MAX_CRASHES} times within {CRASH_WINDOW:.0f} s and rests")

    def _make_room(self, group: str, rank: Rank) -> None:
        """One more child: the longest unused of those without claim or of the same priority ends, or a lower one."""
        with self._lock:
            if len(self._children) < self.limit:
                return
            present = sorted(self._children, key=lambda name: self._children[name].used)
        free = [name for name in present if self._claims.gives_way(name, rank)]
        if free:
            self._end(free[0])
            return
        lower = self._claims.preempted_by(rank, present)
        if not lower:
            raise EngineBusy
        self._push_out(str(lower[0]), group, rank)


def _has_no_room(answers: Sequence[Result]) -> bool:
    return any(answer["reason"] == Reason.OUT_OF_MEMORY for answer in answers)


def _group(spec: Mapping[str, Any]) -> str:
    return str(spec.get("package", "")) if spec.get("model") else ANALYSERS
