"""F22: forty cameras of which five are black holes: their SYNs go unanswered, and nobody else is held up."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.support.clips import make_clip
from tests.support.holding import DEMAND, hurried
from tests.support.http_camera import HttpCamera
from tests.support.policies import LoopbackOnly
from tests.support.waiting import wait_until
from workers.vision.holder import StreamHolder, StreamState, StreamWish

ALIVE, DEAD = 35, 5
CONNECT_TIMEOUT = 10.0


@pytest.fixture
def black_hole() -> Iterator[int]:
    """The port of a listener whose backlog is full: the kernel drops further SYNs."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    port = full.getsockname()[1]
    plugs = [socket.socket() for _ in range(4)]
    for plug in plugs:
        plug.setblocking(False)
        plug.connect_ex(("127.0.0.1", port))
    with socket.socket() as probe:
        probe.settimeout(0.5)
        with pytest.raises(TimeoutError):
            probe.connect(("127.0.0.1", port))
    yield port
    for plug in [*plugs, full]:
        plug.close()


def test_f22_black_holes_do_not_delay_the_reconnect_of_others(black_hole: int) -> None:
    with HttpCamera() as camera:
        camera.add_live("/live", make_clip(frames=10, gop=5, fps=5))
        policy = LoopbackOnly(camera.port, black_hole)
        with StreamHolder(policy, lambda *_: None, backoff=hurried) as holder:
            wishes = {f"live{n}": StreamWish(camera.url("/live"), DEMAND) for n in range(ALIVE)}
            wishes |= {
                f"dead{n}": StreamWish(f"{scheme}://127.0.0.1:{black_hole}/x", DEMAND)
                for n, scheme in zip(range(DEAD), ("http", "rtsp", "http", "rtsp", "http"), strict=True)
            }

            def states(prefix: str) -> set[StreamState]:
                return {s.state for name, s in holder.status().items() if name.startswith(prefix)}

            began = time.monotonic()
            holder.reconcile(wishes)
            assert wait_until(lambda: states("live") == {StreamState.ONLINE}, 9.0)
            assert states("dead") == {StreamState.CONNECTING}
            for _ in range(2):  # while the dead ones still hang, and again
                camera.stop()
                assert wait_until(lambda: StreamState.ONLINE not in states("live"))
                camera.start()
                assert wait_until(lambda: states("live") == {StreamState.ONLINE}, 10.0)

            def causes() -> set[str]:
                return {s.cause for name, s in holder.status().items() if name.startswith("dead")}

            tried = lambda: all(  # noqa: E731
                s.counters.last_error.startswith("timeout")
                for name, s in holder.status().items()
                if name.startswith("dead")
            )
            assert wait_until(tried, CONNECT_TIMEOUT + 8)
            assert time.monotonic() - began >= CONNECT_TIMEOUT - 1
