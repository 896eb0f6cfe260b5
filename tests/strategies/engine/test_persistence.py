"""persistence@1: how often, how long, where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from apps.strategies.engine.graph import compile_graph
from apps.strategies.engine.run import run
from apps.strategies.engine.values import MergeInto, Outcome, Raise, RawInput, Sighting, Stop
from tests.strategies.engine.inputs import Memory, line, raw, target

ELSEWHERE = (0.0, 0.0, 0.1, 0.1)


class Reported(Memory):
    """A context that also knows what was reported."""

    def __init__(self, reported: Sequence[RawInput]) -> None:
        super().__init__()
        self.reported = reported

    def sightings(self, raw: RawInput, since: datetime) -> Sequence[Sighting]:
        return [Sighting(item.time, item.targets) for item in self.reported if since <= item.time <= raw.time]


def verdicts(seen: Sequence[RawInput], **parameters: Any) -> list[Outcome]:
    """Every raw event in turn through event-in → dedup (10 s) → persistence → event-out."""
    graph = compile_graph(line(("dedup@1", {"window_s": 10}), ("persistence@1", parameters)))
    context = Reported(seen)
    return [context.feed(graph, item) for item in seen]


@pytest.mark.parametrize(
    ("seconds", "parameters", "first"),
    [
        ((0, 1, 2, 3), {"frames": 3, "of": 5}, 2),
        ((0, 1, 2, 3), {"frames": 1, "of": 1}, 0),
        ((0, 4, 8, 12), {"frames": 3, "of": 5}, None),
        ((0, 2, 4, 6), {"frames": 3, "of": 5}, 2),
        ((0, 1), {"frames": 3, "of": 5}, None),
        ((0, 0, 0), {"frames": 2, "of": 5}, None),
        (range(8), {"frames": 1, "of": 2, "seconds": 5}, 5),
        ((0, 1, 2, 6, 7, 8, 9, 10, 11), {"frames": 1, "of": 2, "seconds": 5}, 8),
    ],
)
def test_it_waits_for_enough_pictures_and_for_enough_time(
    seconds: Sequence[float], parameters: dict[str, Any], first: int | None
) -> None:
    found = verdicts([raw(second) for second in seconds], **parameters)

    raised = [place for place, outcome in enumerate(found) if isinstance(outcome.verdict, Raise)]
    assert raised == ([] if first is None else [first])
    if first is not None:
        assert all(isinstance(outcome.verdict, MergeInto) for outcome in found[first + 1 :])


def test_the_trace_says_what_was_missing() -> None:
    often, _raised = verdicts([raw(0), raw(1)], frames=2, of=2)
    [long] = verdicts([raw(0)], frames=1, seconds=4)

    assert often.verdict == Stop("persistence@1", "not_often_enough")
    assert often.steps[-1].detail == {"seen": 1, "frames": 2, "of": 2, "lasted_s": 0.0, "seconds": 0.0}
    assert long.verdict == Stop("persistence@1", "not_long_enough")


def test_pictures_below_the_confidence_or_elsewhere_do_not_count() -> None:
    weak = [raw(0, target(score=0.3)), raw(1, target(score=0.3)), raw(2)]
    moved = [raw(0, target(box=ELSEWHERE)), raw(1)]

    assert isinstance(verdicts(weak, frames=2, of=3, min=0.5)[-1].verdict, Stop)
    assert isinstance(verdicts(weak, frames=2, of=3)[-1].verdict, Raise | MergeInto)
    assert isinstance(verdicts(moved, frames=2, of=3, place="box")[-1].verdict, Stop)
    assert isinstance(verdicts(moved, frames=2, of=3)[-1].verdict, Raise)


def test_the_interval_of_the_sampling_counts_and_one_second_without() -> None:
    slow = [raw(0, interval_s=10.0), raw(20, interval_s=10.0)]
    unsaid = [raw(0, interval_s=0.0), raw(2, interval_s=0.0)]

    assert isinstance(verdicts(slow, frames=2, of=3)[-1].verdict, Raise)
    assert isinstance(verdicts(slow, frames=2, of=2)[-1].verdict, Stop)
    assert isinstance(verdicts(unsaid, frames=2, of=3)[-1].verdict, Raise)


def test_it_judges_the_same_alone_as_in_a_row() -> None:
    seen = [raw(second) for second in range(4)]
    graph = compile_graph(line(("persistence@1", {"frames": 3, "of": 5})))

    assert isinstance(run(graph, seen[1], Reported(seen)).verdict, Stop)
    assert isinstance(run(graph, seen[2], Reported(seen)).verdict, Raise)
