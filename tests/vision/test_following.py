"""Which packets of a stream go through its decoder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from workers.vision.holder import following
from workers.vision.holder.following import Following
from workers.vision.holder.turns import Turns
from workers.vision.sources import VideoPacket

START = datetime(2026, 1, 1, tzinfo=UTC)


def packet(index: int, *, gop: int = 5) -> VideoPacket:
    """A packet of a camera of ten pictures a second."""
    return VideoPacket(index, index % gop == 0, index / 10, START, 1000, False, native=None)


class Gate(Turns):
    """Turns given and taken by the test."""

    def __init__(self) -> None:
        super().__init__(consumers=1)
        self.is_open = True

    def ask(self, stream: str, moment: float) -> bool:
        return self.is_open

    def has(self, stream: str) -> bool:
        return self.is_open


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    now = {"at": 0.0}
    monkeypatch.setattr(following.time, "monotonic", lambda: now["at"])
    return now


def allowed(
    stream: Following, clock: dict[str, float], first: int, last: int, late: float = 0.0
) -> list[int]:
    """The packets of first…last that may be decoded, each read `late` seconds after it was sent."""
    found = []
    for index in range(first, last):
        clock["at"] = index / 10 + late
        if stream.allows(packet(index), live=True):
            found.append(index)
    return found


def test_it_begins_with_a_keyframe_and_ends_anywhere(clock: dict[str, float]) -> None:
    gate = Gate()
    stream = Following("a", gate)
    assert allowed(stream, clock, 2, 8) == [5, 6, 7]
    gate.is_open = False
    assert allowed(stream, clock, 8, 12) == []
    gate.is_open = True
    assert allowed(stream, clock, 12, 16) == [15]
    assert stream.begins
    assert allowed(stream, clock, 16, 17) == [16]
    assert not stream.begins


def test_only_the_first_group_after_a_gap_is_not_settled(clock: dict[str, float]) -> None:
    stream = Following("a", Gate())
    allowed(stream, clock, 0, 3)
    assert stream.is_settled, "a new connection leaves nothing out"
    stream.pause()
    assert allowed(stream, clock, 3, 7) == [5, 6]
    assert not stream.is_settled
    allowed(stream, clock, 7, 11)
    assert stream.is_settled


def test_a_reader_that_stays_behind_goes_on_with_a_keyframe_and_says_so(clock: dict[str, float]) -> None:
    gate = Gate()
    stream = Following("a", gate)
    allowed(stream, clock, 0, 10)
    assert allowed(stream, clock, 10, 15, late=0.5) == [10, 11, 12]
    assert gate._meter._late.keys() == {"a"}


def test_who_was_late_when_the_turn_ended_begins_anew(clock: dict[str, float]) -> None:
    gate = Gate()
    stream = Following("a", gate)
    allowed(stream, clock, 0, 10)
    allowed(stream, clock, 10, 12, late=0.5)
    gate.is_open = False
    allowed(stream, clock, 12, 20, late=0.5)
    gate.is_open = True
    assert allowed(stream, clock, 20, 22, late=0.3) == [20, 21]
