"""Opened models, bounded by memory: the least recently used ones go first, never one in use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar


class Sized(Protocol):
    memory_bytes: int

    def close(self) -> None: ...


M = TypeVar("M", bound=Sized)


@dataclass
class _Entry(Generic[M]):
    model: M | None = None
    users: int = 0
    opening: threading.Lock = field(default_factory=threading.Lock)


class ModelCache(Generic[M]):
    """Key → opened model. Opening happens once per key however many threads ask."""

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self.loads = 0
        self.evictions = 0
        self._entries: OrderedDict[Hashable, _Entry[M]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def borrow(self, key: Hashable, opener: Callable[[], M]) -> Iterator[M]:
        """The opened model for as long as the block runs; whatever `opener` raises is passed on."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            entry.users += 1
        try:
            yield self._opened(entry, opener)
        finally:
            with self._lock:
                entry.users -= 1
                if entry.model is None and not entry.users and self._entries.get(key) is entry:
                    del self._entries[key]

    def _opened(self, entry: _Entry[M], opener: Callable[[], M]) -> M:
        with entry.opening:
            if entry.model is None:
                entry.model = opener()
                with self._lock:
                    self.loads += 1
                    gone = self._evict(keep=entry)
                for model in gone:
                    model.close()
            return entry.model

    def _evict(self, keep: _Entry[M]) -> list[M]:
        gone: list[M] = []
        for key, entry in list(self._entries.items()):
            if self._resident() <= self.budget_bytes:
                break
            if entry is keep or entry.users or entry.model is None:
                continue
            gone.append(entry.model)
            del self._entries[key]
            self.evictions += 1
        return gone

    def unload(self, key: Hashable | None = None) -> int:
        """Close one model or, without a key, all that nobody uses right now; returns how many."""
        with self._lock:
            keys = [key] if key is not None else list(self._entries)
            gone = [self._entries.pop(each) for each in keys if self._free(each)]
        for entry in gone:
            if entry.model is not None:
                entry.model.close()
        return len(gone)

    def _free(self, key: Hashable) -> bool:
        entry = self._entries.get(key)
        return entry is not None and not entry.users and entry.model is not None

    def resident(self) -> list[Hashable]:
        with self._lock:
            return [key for key, entry in self._entries.items() if entry.model is not None]

    def map_resident(self, describe: Callable[[M], dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """What `describe` says about each opened model, by key (joined with ":")."""
        with self._lock:
            opened = [(key, entry.model) for key, entry in self._entries.items() if entry.model is not None]
        return {
            ":".join(map(str, key)) if isinstance(key, tuple) else str(key): describe(model)
            for key, model in opened
        }

    def resident_bytes(self) -> int:
        with self._lock:
            return self._resident()

    def _resident(self) -> int:
        return sum(entry.model.memory_bytes for entry in self._entries.values() if entry.model is not None)
