"""All streams of a node: what is held is made to match what is wished."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from workers.vision.frames import Frame
from workers.vision.holder.backoff import Backoff
from workers.vision.holder.counters import Counters
from workers.vision.holder.dispatcher import Dispatcher, Mailbox, OnFrame
from workers.vision.holder.states import StateChange, StreamState
from workers.vision.holder.stream import HeldStream, OnState
from workers.vision.holder.wishes import StreamWish
from workers.vision.live import LiveViewer
from workers.vision.sources import AddressPolicy

CONNECTED = frozenset({StreamState.ONLINE, StreamState.DEGRADED})


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A stream at one moment. findings: codes of quality.HealthState. viewers: watching now.

    slow_gop: some demand's interval is shorter than the time between keyframes, so it gets fewer frames.
    takes_turns: every picture is wanted, but the node cannot look at those of all its streams (turns.py).
    """

    state: StreamState
    cause: str
    message: str
    since: datetime
    counters: Counters
    findings: frozenset[str]
    viewers: int
    live_reason: str
    slow_gop: bool
    takes_turns: bool


class StreamHolder:
    """Owns the only connection to each stream.

    on_frame(stream_id, frame, demands) runs in one of `threads` threads, never twice at once for a stream and
    never with a corrupt frame; while it is busy newer frames replace waiting ones. on_state(stream_id, change)
    runs in the stream's thread and must be quick. Exceptions of both are logged.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        on_frame: OnFrame,
        on_state: OnState | None = None,
        *,
        threads: int = 2,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._policy, self._backoff = policy, backoff
        self._on_state: OnState = on_state or _ignore
        self._dispatcher = Dispatcher(on_frame, threads)
        self._streams: dict[str, HeldStream] = {}
        self._leaving: list[HeldStream] = []
        self._lock = threading.Lock()

    def reconcile(self, wishes: Mapping[str, StreamWish]) -> None:
        """Start what is missing, change what differs, let go of the rest. Returns at once."""
        with self._lock:
            for stream_id in [held for held in self._streams if held not in wishes]:
                self._release(stream_id)
            for stream_id, wish in wishes.items():
                held = self._streams.get(stream_id)
                if held is None:
                    self._streams[stream_id] = self._start(stream_id, wish)
                elif held.wish != wish:
                    held.update(wish)
            self._leaving = [stream for stream in self._leaving if not stream.join(0)]

    def _start(self, stream_id: str, wish: StreamWish) -> HeldStream:
        return HeldStream(
            stream_id,
            wish,
            policy=self._policy,
            mailbox=Mailbox(stream_id, self._dispatcher),
            turns=self._dispatcher.turns,
            on_state=self._on_state,
            backoff=self._backoff(),
        )

    def _release(self, stream_id: str) -> None:
        stream = self._streams.pop(stream_id)
        stream.stop()
        self._leaving.append(stream)

    def status(self) -> dict[str, StreamStatus]:
        """Every held stream now; the counters are copies."""
        with self._lock:
            streams = dict(self._streams)
        return {stream_id: _status(stream) for stream_id, stream in streams.items()}

    def due_now(self) -> None:
        """Whatever was delivered before, every demand is due with the next frame that serves it."""
        with self._lock:
            streams = list(self._streams.values())
        for stream in streams:
            stream.due_now()

    def view(self, stream_id: str) -> LiveViewer | None:
        """A live viewer of a stream that is wished live; None where it is not held or not live."""
        with self._lock:
            stream = self._streams.get(stream_id)
            if stream is None or not stream.wish.live:
                return None
            return stream.remuxer.attach()

    def picture(self, stream_id: str, max_age: float = 5.0, timeout: float = 10.0) -> Frame | None:
        """A keyframe of a connected stream, not older than max_age seconds or the next; None where there is none."""
        with self._lock:
            stream = self._streams.get(stream_id)
        if stream is None or stream.machine.state not in CONNECTED:
            return None
        return stream.pictures.ask(max_age, timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Let go of everything and wait up to `timeout` seconds for the threads."""
        with self._lock:
            for stream_id in list(self._streams):
                self._release(stream_id)
            leaving, self._leaving = self._leaving, []
        ends = time.monotonic() + timeout
        for stream in leaving:
            stream.join(max(0.0, ends - time.monotonic()))
        self._dispatcher.close(max(1.0, ends - time.monotonic()))

    def __enter__(self) -> StreamHolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _status(stream: HeldStream) -> StreamStatus:
    machine, counters = stream.machine, replace(stream.counters)
    shortest = min((demand.interval_s for demand in stream.wish.demands if demand.kind != "fps"), default=0.0)
    return StreamStatus(
        state=machine.state,
        cause=machine.cause,
        message=machine.message,
        since=machine.since,
        counters=counters,
        findings=frozenset(state.value for state in stream.watch.findings),
        viewers=stream.remuxer.viewers,
        live_reason=stream.remuxer.reason,
        slow_gop=0 < shortest < counters.gop_seconds * 0.9,
        takes_turns=stream.takes_turns,
    )


def _ignore(stream_id: str, change: StateChange) -> None:
    return
