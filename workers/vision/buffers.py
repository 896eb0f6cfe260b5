"""Bounded places between threads. They name what they drop; none of them grows."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """At most `size` waiting items (1 or 2): a new one pushes the oldest out. Counts what it dropped."""

    def __init__(self, size: int = 1) -> None:
        if not 1 <= size <= 2:
            raise ValueError("a latest-wins slot holds one or two items")
        self._items: deque[T] = deque()
        self._size = size
        self._ready = threading.Condition()
        self._closed = False
        self.dropped = 0
        self.deepest = 0

    def put(self, item: T) -> T | None:
        """Add the newest; the item that was dropped for it, or None. Ignored after close."""
        with self._ready:
            if self._closed:
                return None
            pushed = self._items.popleft() if len(self._items) >= self._size else None
            self.dropped += pushed is not None
            self._items.append(item)
            self.deepest = max(self.deepest, len(self._items))
            self._ready.notify()
            return pushed

    def take(self, timeout: float | None = None) -> T | None:
        """The oldest waiting item; None after `timeout` seconds, or once closed and empty."""
        with self._ready:
            self._ready.wait_for(lambda: bool(self._items) or self._closed, timeout)
            return self._items.popleft() if self._items else None

    def peek(self) -> T | None:
        """The newest waiting item, left where it is."""
        with self._ready:
            return self._items[-1] if self._items else None

    def close(self) -> None:
        """Forget what waits and wake every taker."""
        with self._ready:
            self._closed = True
            self._items.clear()
            self._ready.notify_all()

    @property
    def closed(self) -> bool:
        """No more items will come."""
        return self._closed

    def __len__(self) -> int:
        return len(self._items)
