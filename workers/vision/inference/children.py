"""One child process per model group, so that a GPU's memory comes back and a crash takes down one group only.

A group is an algorithm package (or all the built-in analysers). A child that crashes is started again; one
that crashed `MAX_CRASHES` times within `CRASH_WINDOW` rests until the window has passed: no crash loop.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workers.vision.engine_client import EngineError, EnginePool, EngineUnavailable, wait_for_engine
from workers.vision.inference.engine import FrameRef
from workers.vision.inference.results import Result, not_analysed
from workers.vision.outcomes import Reason

log = logging.getLogger(__name__)

MAX_CRASHES = 3
CRASH_WINDOW = 60.0
START_SECONDS = 60.0


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
        self._threads = threads
        self._model_bytes = model_bytes
        self._children: dict[str, _Child] = {}
        self._crashes: dict[str, deque[float]] = {}
        self._lock = threading.Lock()
        self._starting: dict[str, threading.Lock] = {}

    def analyse(self, frame: FrameRef, specs: Sequence[Mapping[str, Any]]) -> list[Result]:
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
        return {"children": shown, "restarts": self.restarts}

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
        try:
            return self._child(group).pool.analyse([item])[0]
        except EngineError as error:
            log.warning("engine child of group %s: %s", group[:12], error)
            return [not_analysed(str(spec.get("execution", "")), Reason.ENGINE_RESTARTED) for spec in specs]

    def _child(self, group: str) -> _Child:
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
            self._make_room()
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

    def _make_room(self) -> None:
        with self._lock:
            if len(self._children) < self.limit:
                return
            oldest = min(self._children, key=lambda group: self._children[group].used)
            child = self._children.pop(oldest)
        child.end()


def _group(spec: Mapping[str, Any]) -> str:
    return str(spec.get("package", "")) if spec.get("model") else "analysers"
