"""F28: a camera sends faster than its frames are used: old ones are dropped, nothing queues."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from tests.support.clips import make_clip
from tests.support.http_camera import HttpCamera
from tests.support.policies import LoopbackOnly
from tests.support.waiting import wait_until
from workers.vision.frames import Frame
from workers.vision.holder import Demand, StreamHolder, StreamWish


def test_f28_sixty_frames_a_second_for_a_slow_consumer() -> None:
    ages: list[float] = []

    def slow(_: str, frame: Frame, __: tuple[Demand, ...]) -> None:
        ages.append((datetime.now(UTC) - frame.time).total_seconds())
        time.sleep(0.2)

    with HttpCamera() as camera:
        camera.add_live("/live", make_clip(frames=60, gop=30, fps=60))
        with StreamHolder(LoopbackOnly(camera.port), slow) as holder:
            holder.reconcile({"a": StreamWish(camera.url("/live"), (Demand("fps", 1 / 60),))})
            assert wait_until(lambda: len(ages) >= 15)
            counters = holder.status()["a"].counters
    assert counters.deepest_queue <= 2
    assert counters.dropped > 10
    assert counters.decoded > 100
    assert sorted(ages)[len(ages) // 2] < 1.0


def test_f28_a_plan_of_five_a_second_gets_five_a_second() -> None:
    times: list[float] = []
    with HttpCamera() as camera:
        camera.add_live("/live", make_clip(frames=60, gop=30, fps=60))
        with StreamHolder(
            LoopbackOnly(camera.port), lambda _, frame, __: times.append(frame.time.timestamp())
        ) as holder:
            holder.reconcile({"a": StreamWish(camera.url("/live"), (Demand("fps", 0.2),))})
            assert wait_until(lambda: len(times) >= 11)
            counters = holder.status()["a"].counters
    assert 1.5 < times[10] - times[0] < 3.5
    assert counters.deepest_queue <= 2


def test_f28_more_streams_than_the_consumer_can_look_at_take_turns() -> None:
    seen: dict[str, int] = {}

    def slow(stream: str, _: Frame, __: tuple[Demand, ...]) -> None:
        seen[stream] = seen.get(stream, 0) + 1
        time.sleep(0.05)

    with HttpCamera() as camera:
        camera.add_live("/live", make_clip(frames=60, gop=10, fps=20))
        with StreamHolder(LoopbackOnly(camera.port), slow, threads=1) as holder:
            wish = StreamWish(camera.url("/live"), (Demand("fps", 1 / 20),))
            holder.reconcile(dict.fromkeys("abcd", wish))
            assert wait_until(lambda: all(found.takes_turns for found in holder.status().values()))
            before = {name: found.counters for name, found in holder.status().items()}
            assert wait_until(lambda: all(seen.get(name, 0) > 10 for name in "abcd"))
            time.sleep(4)
            status = holder.status()
            holder.reconcile({"a": wish})
            assert wait_until(lambda: not holder.status()["a"].takes_turns, 40)
    offered, decoded, skipped = (
        sum(getattr(status[name].counters, what) - getattr(before[name], what) for name in "abcd")
        for what in ("packets", "decoded", "skipped")
    )
    assert skipped > offered / 4
    assert decoded < 0.75 * offered
