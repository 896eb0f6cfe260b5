"""What stateful executions remember between frames, bounded by memory: the longest unused goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workers.vision.analysers import Analyser
from workers.vision.unchanged import ChangeGate

_BASE_BYTES = 16 * 1024


@dataclass
class ExecutionState:
    """digest: of the spec it belongs to. answer: what was said about the frame of `time`."""

    digest: str
    analyser: Analyser | None = None
    gate: ChangeGate | None = None
    time: datetime | None = None
    answer: dict[str, Any] | None = None
    memories: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def memory_bytes(self) -> int:
        return (
            _BASE_BYTES
            + (self.analyser.memory_bytes if self.analyser else 0)
            + (self.gate.memory_bytes if self.gate else 0)
        )


class StateStore:
    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self.evictions = 0
        self._states: OrderedDict[str, ExecutionState] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def of(self, execution: str, digest: str) -> Iterator[ExecutionState]:
        """The state of one execution, held alone; a changed spec starts with a fresh one."""
        with self._lock:
            state = self._states.get(execution)
            if state is None or state.digest != digest:
                state = self._states[execution] = ExecutionState(digest)
            self._states.move_to_end(execution)
        with state.lock:
            yield state
        with self._lock:
            self._evict()

    def forget(self, execution: str | None = None) -> int:
        with self._lock:
            if execution is not None:
                return int(self._states.pop(execution, None) is not None)
            count = len(self._states)
            self._states.clear()
            return count

    def __len__(self) -> int:
        return len(self._states)

    def _evict(self) -> None:
        total = sum(state.memory_bytes for state in self._states.values())
        for execution, state in list(self._states.items()):
            if total <= self.budget_bytes or len(self._states) <= 1:
                return
            if not state.lock.locked():
                total -= state.memory_bytes
                del self._states[execution]
                self.evictions += 1
