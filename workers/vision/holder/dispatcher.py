"""Frames from many streams to one consumer by a few threads: the latest wins, at most two per stream."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from workers.vision.buffers import LatestSlot
from workers.vision.frames import Frame
from workers.vision.holder.turns import Turns
from workers.vision.holder.wishes import Demand

logger = logging.getLogger(__name__)

OnFrame = Callable[[str, Frame, tuple[Demand, ...]], None]
_Parcel = tuple[Frame, tuple[Demand, ...]]


class Mailbox:
    """One stream's way out: one frame with the consumer, one waiting."""

    def __init__(self, stream_id: str, dispatcher: Dispatcher) -> None:
        self.stream_id = stream_id
        self._dispatcher = dispatcher
        self._slot: LatestSlot[_Parcel] = LatestSlot(1)
        self._lock = threading.Lock()
        self._busy = False
        self.delivered = 0
        self.deepest = 0

    def put(self, frame: Frame, demands: tuple[Demand, ...]) -> None:
        """Never waits. Demands of a frame that is pushed out go over to the newer one."""
        waiting = self._slot.peek()
        if waiting is not None:
            demands = tuple(dict.fromkeys(waiting[1] + demands))
        pushed_out = self._slot.put((frame, demands))
        self._dispatcher.turns.sent(self.stream_id, time.monotonic(), replaced=pushed_out is not None)
        with self._lock:
            self.deepest = max(self.deepest, len(self._slot) + self._busy)
            if self._busy:
                return
            self._busy = True
        self._dispatcher.ready.put(self)

    def deliver(self, consumer: OnFrame) -> None:
        """In a dispatcher's thread: hand over what waits, then go to the end of the line or rest."""
        parcel = self._slot.take(0)
        if parcel is not None:
            try:
                consumer(self.stream_id, *parcel)
            except Exception:
                logger.exception("frame consumer failed", extra={"stream": self.stream_id})
            self.delivered += 1
        with self._lock:
            self._busy = len(self._slot) > 0
            again = self._busy
        if again:
            self._dispatcher.ready.put(self)

    @property
    def dropped(self) -> int:
        """Frames replaced before they were handed over."""
        return self._slot.dropped

    def close(self) -> None:
        """Forget what waits."""
        self._slot.close()


class Dispatcher:
    """`threads` threads that call the consumer; never twice at once for one stream."""

    def __init__(self, consumer: OnFrame, threads: int = 2) -> None:
        self.ready: queue.SimpleQueue[Mailbox | None] = queue.SimpleQueue()
        self.turns = Turns(threads)
        self._consumer = consumer
        self._threads = [
            threading.Thread(target=self._run, name=f"frames-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while (box := self.ready.get()) is not None:
            self.turns.working(time.monotonic(), 1)
            box.deliver(self._consumer)
            self.turns.working(time.monotonic(), -1)

    def close(self, timeout: float = 5.0) -> None:
        """End the threads; wait up to `timeout` seconds for all of them."""
        ends = time.monotonic() + timeout
        for _ in self._threads:
            self.ready.put(None)
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
