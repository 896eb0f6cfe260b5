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
    gone: threading.Event | None = None
    """Set for a model that was pushed out: the last of its users closes it and says so."""
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
                is_last = entry.gone is not None and not entry.users
            if is_last:
                _close(entry)

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

    def unload(self, key: Hashable | None = None, *, which: Callable[[Hashable], bool] | None = None) -> int:
        """Close one model or, without a key, all (of `which`) that nobody uses right now; returns how many."""
        with self._lock:
            keys = [key] if key is not None else [each for each in self._entries if not which or which(each)]
            gone = [self._entries.pop(each) for each in keys if self._free(each)]
        for entry in gone:
            if entry.model is not None:
                entry.model.close()
        return len(gone)

    def push_out(self, key: Hashable, seconds: float) -> bool:
        """Close a model even if it is in use: nobody gets it any more, and what runs on it runs to its end first.

        False where it was not open, or was still in use after `seconds` (then its last user closes it).
        """
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.model is None:
                return False
            del self._entries[key]
            entry.gone = threading.Event()
            is_free = not entry.users
        if is_free:
            _close(entry)
        return entry.gone.wait(seconds)

    def _free(self, key: Hashable) -> bool:
        entry = self._entries.get(key)
        return entry is not None and not entry.users and entry.model is not None

    def resident(self, which: Callable[[M], bool] | None = None) -> list[Hashable]:
        """Keys of the opened models (of `which`)."""
        with self._lock:
            opened = [(key, entry.model) for key, entry in self._entries.items() if entry.model is not None]
        return [key for key, model in opened if which is None or which(model)]

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


def _close(entry: _Entry[Any]) -> None:
    model, entry.model = entry.model, None
    if model is not None:
        model.close()
    if entry.gone is not None:
        entry.gone.set()
