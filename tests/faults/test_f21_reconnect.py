"""F21: a camera disappears and comes back, thirty times; nothing is left behind: no slope of anything."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.support.clips import make_clip, write_clip
from tests.support.holding import DEMAND, hurried
from tests.support.http_camera import HttpCamera
from tests.support.policies import LoopbackOnly
from tests.support.rtsp_server import RtspServer, available
from tests.support.usage import resident
from tests.support.waiting import wait_until
from workers.vision.holder import Backoff, StreamHolder, StreamState, StreamWish
from workers.vision.sources import SourceOptions


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


class Samples:
    """Descriptors, threads and memory of this process after each cycle; `slope` is their growth for one cycle."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int]] = []

    def take(self) -> None:
        self.rows.append((descriptors(), threading.active_count(), resident()))

    def slope(self, column: int, skip: int) -> float:
        values = np.array([row[column] for row in self.rows[skip:]], float)
        return float(np.polyfit(np.arange(len(values)), values, 1)[0])

    def check(self, skip: int = 8) -> None:
        """The first cycles fill the allocator's and the decoders' stores."""
        assert abs(self.slope(0, skip)) < 0.2, "descriptors"
        assert abs(self.slope(1, skip)) < 0.2, "threads"
        assert self.slope(2, skip) < 500_000, "memory; the leak this test is about was 2 MB each time"


def test_f21_thirty_reconnects_over_http_leave_nothing_behind() -> None:
    with HttpCamera() as camera:
        camera.add_live("/live", make_clip(frames=20, gop=5))
        with StreamHolder(LoopbackOnly(camera.port), lambda *_: None, backoff=hurried) as holder:
            holder.reconcile({"a": StreamWish(camera.url("/live"), DEMAND)})

            def state() -> StreamState:
                return holder.status()["a"].state

            samples = Samples()
            assert wait_until(lambda: state() is StreamState.ONLINE)
            before = (descriptors(), threading.active_count())
            for _ in range(30):
                camera.stop()
                assert wait_until(lambda: state() is StreamState.OFFLINE, 20)
                camera.start()
                assert wait_until(lambda: state() is StreamState.ONLINE)
                samples.take()
            assert wait_until(lambda: descriptors() <= before[0] + 1)
            assert wait_until(lambda: threading.active_count() <= before[1] + 1)
            samples.check()
            assert holder.status()["a"].counters.reconnects >= 30


@pytest.mark.parametrize("cycles", [3, pytest.param(30, marks=pytest.mark.slow_fault)])
def test_f21_rtsp_server_killed_and_started_again(tmp_path: Path, cycles: int) -> None:
    if reason := available():
        pytest.skip(reason)
    clip = write_clip(tmp_path / "loop.ts", frames=25, gop=5)
    with (
        RtspServer(clip) as server,
        StreamHolder(LoopbackOnly(server.port), lambda *_: None, backoff=hurried) as holder,
    ):
        holder.reconcile({"a": StreamWish(server.url, DEMAND)})

        def state() -> StreamState:
            return holder.status()["a"].state

        assert wait_until(lambda: state() is StreamState.ONLINE)
        before = (descriptors(), threading.active_count())
        samples = Samples()
        for _ in range(cycles):
            server.stop()
            assert wait_until(lambda: state() is StreamState.OFFLINE, 20)
            server.start()
            assert wait_until(lambda: state() is StreamState.ONLINE)
            samples.take()
        if cycles >= 30:
            samples.check()
        assert wait_until(lambda: descriptors() <= before[0] + 1)
        assert wait_until(lambda: threading.active_count() <= before[1])


def test_f21_close_ends_every_thread_though_a_camera_hangs() -> None:
    """A camera that accepts and then says nothing is let go without waiting for its read limit."""
    before = threading.active_count()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        port = silent.getsockname()[1]
        holder = StreamHolder(LoopbackOnly(port), lambda *_: None)
        options = SourceOptions(connect_timeout=1.0, read_timeout=1.0)
        wishes = {
            scheme: StreamWish(f"{scheme}://127.0.0.1:{port}/x", DEMAND, options=options)
            for scheme in ("rtsp", "rtmp", "http")
        }
        holder.reconcile(wishes)
        assert wait_until(
            lambda: all(status.state is StreamState.OFFLINE for status in holder.status().values())
        )
        assert {status.cause for status in holder.status().values()} == {"timeout"}
        holder.close()
    assert wait_until(lambda: threading.active_count() <= before)


def test_f21_the_wait_between_tries_grows_to_a_minute_and_is_jittered() -> None:
    """The real backoff of a stream, over failures that need no time."""
    waits: list[float] = []

    class Told(Backoff):
        def next(self) -> float:
            waits.append(super().next())
            return 0.0

    with StreamHolder(LoopbackOnly(), lambda *_: None, backoff=Told) as holder:
        holder.reconcile({"a": StreamWish("http://127.0.0.1:1/x", DEMAND)})
        assert wait_until(lambda: len(waits) >= 60)
    for number, wait in enumerate(waits):
        assert 0.25 <= wait <= min(60.0, 2.0**number)
    assert len(set(waits[10:60])) > 40  # no two cameras of a street come back in the same moment
    assert max(waits[10:60]) > 30
