"""F27: whatever the timestamps do (jumps, negative, wrap of 33 bits, none), frame times only rise."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from workers.vision.sources.clock import FrameClock

WRAP = 2**33 / 90_000
PTS = st.one_of(
    st.none(),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.sampled_from([0.0, WRAP - 0.04, WRAP, -WRAP, 95443.7]),
)


class Wall:
    """A system clock whose steps are given, beside one that only rises."""

    def __init__(self) -> None:
        self.now, self.tick = 1_800_000_000.0, 100.0

    def pass_time(self, elapsed: float, step: float) -> None:
        self.tick += elapsed
        self.now += elapsed + step


@given(
    live=st.booleans(),
    packets=st.lists(st.tuples(PTS, st.floats(0, 5), st.sampled_from([0.0, 0.0, -60.0, 60.0])), max_size=60),
)
def test_f27_times_always_rise(live: bool, packets: list[tuple[float | None, float, float]]) -> None:
    wall = Wall()
    clock = FrameClock(live=live, now=lambda: wall.now, monotonic=lambda: wall.tick)
    last: datetime | None = None
    for pts, elapsed, step in packets:
        wall.pass_time(elapsed, step)
        moment = clock.stamp(pts)
        assert last is None or moment > last
        last = moment


def test_f27_a_live_clock_keeps_the_spacing_and_follows_the_wall() -> None:
    wall = Wall()
    clock = FrameClock(live=True, now=lambda: wall.now, monotonic=lambda: wall.tick)
    first = clock.stamp(WRAP - 0.04)
    wall.pass_time(0.1, 0)
    assert abs((clock.stamp(WRAP) - first).total_seconds() - 0.04) < 1e-5
    wall.pass_time(0.04, 0)
    after_wrap = clock.stamp(0.0)
    assert abs(after_wrap.timestamp() - wall.now) < 0.01
    wall.pass_time(300, 0)
    assert abs(clock.stamp(0.08).timestamp() - wall.now) < 0.01


def test_f27_a_file_goes_on_by_one_frame_after_a_jump_back() -> None:
    clock = FrameClock(live=False, frame_duration=0.1)
    times = [clock.stamp(pts) for pts in (0.0, 0.1, 0.2, 0.0, 0.1)]
    steps = [round((b - a).total_seconds(), 4) for a, b in itertools.pairwise(times)]
    assert steps == [0.1, 0.1, 0.1, 0.1]
    assert times[0].tzinfo is UTC
