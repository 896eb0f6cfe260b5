"""Repeats join their main event by place and time, whatever the machine does in between."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.strategies.engine.graph import compile_graph
from apps.strategies.engine.values import MergeInto, Raise, RawInput
from tests.strategies.engine.inputs import Memory, line, raw, target

LEFT = (0.1, 0.5, 0.1, 0.1)
NEAR_LEFT = (0.12, 0.5, 0.1, 0.1)
RIGHT = (0.7, 0.5, 0.1, 0.1)


def events(items: list[RawInput], **params: Any) -> int:
    """How many events the raw events give, run in the given order."""
    graph = compile_graph(line(("dedup@1", params)))
    memory = Memory()
    return sum(isinstance(memory.feed(graph, item).verdict, Raise) for item in items)


@pytest.mark.parametrize(
    ("seconds", "count"),
    [
        ([0], 1),
        ([0, 3], 1),
        ([0, 3.001], 2),
        ([0, 1, 2, 3, 4, 5, 6], 1),
        ([0, 2, 4, 8, 10, 20], 3),
        ([5, 4, 3], 1),
    ],
)
def test_the_window_is_measured_by_frame_time(seconds: list[float], count: int) -> None:
    assert events([raw(second) for second in seconds], window_s=3) == count


def test_six_presences_sampled_every_second_are_six_events() -> None:
    """Somebody is there for 2 to 9 s, six times, and away for 4 s or more between."""
    times: list[int] = []
    start = 3
    for length, pause in [(2, 4), (9, 5), (3, 12), (7, 4), (2, 6), (5, 0)]:
        times += range(start, start + length)
        start += length + pause
    walking = [raw(second, target((second % 9 / 10, 0.4, 0.1, 0.3))) for second in times]
    assert events(walking, window_s=3) == 6


@pytest.mark.parametrize(
    ("place", "first", "second", "count"),
    [
        ("picture", target(LEFT), target(RIGHT), 1),
        ("box", target(LEFT), target(NEAR_LEFT), 1),
        ("box", target(LEFT), target(RIGHT), 2),
        ("standing", target(LEFT), target(RIGHT), 1),
        ("standing", target(LEFT, standing_s=40), target(RIGHT, standing_s=40), 2),
        ("standing", target(LEFT, standing_s=40), target(NEAR_LEFT, standing_s=41), 1),
    ],
)
def test_the_place(place: str, first: Any, second: Any, count: int) -> None:
    assert events([raw(0, first), raw(1, second)], window_s=3, place=place) == count


def test_two_bags_that_stand_at_once_stay_two_events() -> None:
    items = [raw(second, target(box, standing_s=second)) for second in range(10) for box in (LEFT, RIGHT)]
    assert events(items, window_s=3) == 2


def test_slow_sampling_widens_the_window() -> None:
    assert events([raw(0, interval_s=60), raw(61, interval_s=60)], window_s=3) == 2
    assert events([raw(0, interval_s=60), raw(61, interval_s=60)], window_s=3, intervals=2) == 1


def test_a_repeat_names_its_main_event() -> None:
    graph = compile_graph(line(("dedup@1", {"window_s": 3})))
    memory = Memory()
    first = raw(0)
    memory.feed(graph, first)
    assert memory.feed(graph, raw(1)).verdict == MergeInto(first.id)


moments = st.lists(st.integers(0, 400), min_size=1, max_size=60)


@given(moments, st.integers(1, 20))
def test_in_order_there_is_one_event_per_cluster(seconds: list[int], window: int) -> None:
    ordered = sorted(seconds)
    clusters = 1 + sum(later - earlier > window for earlier, later in itertools.pairwise(ordered))
    assert events([raw(second) for second in ordered], window_s=window) == clusters


@given(moments, st.integers(1, 20), st.randoms(use_true_random=False))
def test_any_order_gives_an_event_for_each_cluster_and_only_late_bridges_add_more(
    seconds: list[int], window: int, random: Any
) -> None:
    """A run leased as a batch is sorted; even unsorted nothing is lost, and no two clusters are joined."""
    ordered = sorted(seconds)
    clusters = 1 + sum(later - earlier > window for earlier, later in itertools.pairwise(ordered))
    shuffled = list(seconds)
    random.shuffle(shuffled)
    graph = compile_graph(line(("dedup@1", {"window_s": window})))
    memory = Memory()
    for second in shuffled:
        memory.feed(graph, raw(second))
    assert clusters <= len(memory.mains) <= len(seconds)
    spans = sorted((main.first_seen, main.last_seen) for main in memory.mains.values())
    seen = sorted(raw(second).time for second in seconds)
    for first, last in spans:
        inside = [moment for moment in seen if first <= moment <= last]
        gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(inside)]
        assert all(gap <= window for gap in gaps)
