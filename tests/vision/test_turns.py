"""Who decodes everything while a node cannot look at all pictures: simulated seconds, no clock."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from workers.vision.holder.turns import RESERVED, TURN, Turns


@dataclass
class Camera:
    """fps: pictures a second that are wanted. gop: seconds between keyframes. offset: of its first keyframe."""

    fps: float = 15.0
    gop: float = 2.0
    offset: float = 0.0


class Node:
    """Streams and their consumers: one picture of each stream waits at most, one at a time is looked at.

    Simulated in steps of 5 ms; a look takes `look` seconds of a consumer.
    """

    STEP = 0.005

    def __init__(self, cameras: Sequence[Camera], *, consumers: int, look: float) -> None:
        self.turns = Turns(consumers)
        self.cameras, self.consumers, self.look = cameras, consumers, look
        self.now = 0.0
        self.looked: Counter[int] = Counter()
        self.decoded: Counter[int] = Counter()
        self.wasted = 0
        self._next = [camera.offset for camera in cameras]
        self._key_at = [camera.offset for camera in cameras]
        self._line: list[int] = []
        self._busy: dict[int, float] = {}

    def run(self, seconds: float) -> None:
        """Everything that happens in so many seconds."""
        ends = self.now + seconds
        while self.now < ends:
            self.now += self.STEP
            for number, camera in enumerate(self.cameras):
                if self.now >= self._next[number]:
                    self._next[number] += 1 / camera.fps
                    self._picture(number, camera)
            self._work()

    def _picture(self, number: int, camera: Camera) -> None:
        name, is_key = str(number), self.now >= self._key_at[number]
        if is_key:
            self._key_at[number] += camera.gop
        has = self.turns.ask(name, self.now) if is_key else self.turns.has(name)
        if not (has or is_key):
            return
        self.decoded[number] += 1
        is_replaced = number in self._line
        self.wasted += is_replaced
        if not is_replaced:
            self._line.append(number)
        self.turns.sent(name, self.now, replaced=is_replaced)

    def _work(self) -> None:
        for number in [each for each, ends in self._busy.items() if self.now >= ends]:
            del self._busy[number]
            self.looked[number] += 1
            self.turns.working(self.now, -1)
        for number in [each for each in self._line if each not in self._busy][
            : self.consumers - len(self._busy)
        ]:
            self._line.remove(number)
            self._busy[number] = self.now + self.look
            self.turns.working(self.now, 1)

    def rate(self, seconds: float) -> float:
        """Looks a second in the next seconds."""
        self.looked.clear()
        self.decoded.clear()
        self.wasted = 0
        self.run(seconds)
        return self.looked.total() / seconds


def city(number: int, **same: float) -> list[Camera]:
    """Cameras that do not show their keyframes in step."""
    return [Camera(offset=0.37 * place % 2, **same) for place in range(number)]


def test_nobody_waits_while_there_is_room_for_all() -> None:
    node = Node(city(4), consumers=2, look=0.025)
    assert node.rate(60) > 59
    assert node.turns.limit is None


def test_at_twice_the_capacity_little_is_decoded_for_nothing_and_much_is_looked_at() -> None:
    node = Node(city(8), consumers=2, look=0.033)
    node.run(15)
    assert node.rate(60) > 0.7 * 60
    assert node.wasted < 0.1 * node.decoded.total()


def test_turns_go_round_and_everybody_shows_keyframes() -> None:
    node = Node(city(8), consumers=2, look=0.033)
    node.run(15)
    node.rate(120)
    assert min(node.decoded.values()) > 0.4 * max(node.decoded.values())
    assert min(node.looked.values()) >= 59


@pytest.mark.parametrize(
    ("cameras", "consumers", "look", "least"),
    [
        (city(1, fps=25), 1, 0.06, 15),
        (city(4, fps=25), 8, 0.06, 60),
        (city(2, fps=25), 2, 0.06, 30),
        (city(3, fps=5), 4, 0.3, 9.5),
    ],
)
def test_who_is_slow_by_itself_is_not_put_off(
    cameras: list[Camera], consumers: int, look: float, least: float
) -> None:
    node = Node(cameras, consumers=consumers, look=look)
    node.run(20)
    assert node.rate(30) > least


def test_once_there_is_room_everybody_has_a_turn_again() -> None:
    node = Node(city(8), consumers=2, look=0.033)
    node.run(20)
    assert node.turns.limit is not None
    node.look = 0.01
    node.run(60)
    assert node.turns.limit is None
    assert all(node.turns.has(str(number)) for number in range(8))


def test_after_a_standstill_many_streams_soon_have_their_turns_again() -> None:
    node = Node(city(40), consumers=8, look=0.01)
    node.run(10)
    node.look = 10.0  # a model is opened
    node.run(1)
    node.look = 0.01
    node.run(60)
    assert node.turns.limit is None


def test_a_moment_of_too_much_changes_nothing() -> None:
    node = Node(city(4), consumers=2, look=0.025)
    node.run(10)
    node.look = 0.2
    node.run(0.6)
    node.look = 0.025
    node.run(10)
    assert node.turns.limit is None


def test_more_is_tried_and_more_seldom_while_it_is_too_much() -> None:
    node = Node(city(8), consumers=2, look=0.033)
    raised, before = [], None
    for second in range(400):
        node.look = 0.027 if second % 8 < 5 else 0.04  # there seems to be room, and then there is not
        node.run(1)
        if before is not None and node.turns.limit is not None and node.turns.limit > before:
            raised.append(second)
        before = node.turns.limit
    waits = [later - sooner for sooner, later in itertools.pairwise(raised)]
    assert len(waits) >= 2
    assert max(waits) >= 2 * min(waits)


@pytest.mark.parametrize("late", ["a", "ab", "abcdefgh"])
def test_some_readers_that_fall_behind_mean_too_much_and_one_does_not(late: str) -> None:
    turns, limits = Turns(consumers=2), []
    for number in range(1200):
        moment = number / 10
        for stream in "abcdefgh":
            if number % 30 == 0:  # a keyframe every 3 s, after which it falls behind again
                turns.ask(stream, moment)
                if stream in late and turns.has(stream):
                    turns.fell_behind(stream, moment)
            turns.working(moment, 1)
            turns.working(moment + 0.001, -1)
            turns.sent(stream, moment, replaced=False)
        limits.append(turns.limit)
    if len(late) == 1:
        assert set(limits) == {None}
    elif len(late) == 8:
        assert limits[-1] is not None
        assert limits[-1] <= 4
        assert max(limit for limit in limits[600:] if limit) <= 5, (
            "not twice as many, as one more was too many"
        )


def test_a_stream_with_hardly_any_keyframes_is_not_put_off() -> None:
    cameras = [*city(7), Camera(gop=20.0)]
    node = Node(cameras, consumers=2, look=0.033)
    node.run(60)
    node.rate(60)
    assert node.turns.limit is not None
    assert node.decoded[7] > 0.9 * 60 * 15
    assert not node.turns.is_put_off("7")
    assert node.turns.is_put_off("0")


def limited(limit: int, *streams: str) -> Turns:
    """So many turns at moment 0, the first streams having them."""
    turns = Turns(consumers=1)
    turns.limit = limit
    for stream in streams:
        turns.ask(stream, 0.0)
    return turns


def test_a_turn_is_taken_over_when_it_is_over_by_who_waits_longest() -> None:
    turns = limited(1, "a", "b", "c")
    assert turns.has("a")
    assert not turns.ask("c", TURN - 0.1), "it is not over"
    assert not turns.ask("c", TURN), "b waits longer"
    assert turns.ask("b", TURN)
    assert not turns.has("a")


def test_a_turn_is_not_kept_for_ever_for_who_shows_no_keyframe() -> None:
    turns = limited(1, "a", "slow", "c")
    for moment in (TURN, 2 * TURN, TURN + RESERVED - 0.1):
        assert turns.ask("a", moment)
        assert not turns.ask("c", moment)
    assert turns.ask("c", TURN + RESERVED)


def test_a_free_turn_is_for_whoever_comes() -> None:
    turns = limited(2, "a", "b", "slow", "c")
    turns.leave("b")
    assert turns.ask("c", 1.0)
    assert not turns.ask("slow", 1.0)
