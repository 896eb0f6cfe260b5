"""Who decodes everything while a node cannot look at all pictures: simulated seconds, no clock."""

from __future__ import annotations

import itertools
from collections import Counter

from workers.vision.holder.turns import TURN, Turns


class Node:
    """Streams of 15 pictures a second with a keyframe every 2 s, not in step, one picture of each waiting at most.

    The consumers look at `capacity` pictures a second.
    """

    FPS, GOP = 15, 30

    def __init__(self, streams: int, capacity: float) -> None:
        self.turns = Turns(consumers=2)
        self.streams, self.capacity = streams, capacity
        self.step = self.looked = self.wasted = 0
        self.decoded: Counter[int] = Counter()
        self.keyframes: Counter[int] = Counter()
        self._waiting: list[int] = []
        self._credit = 0.0

    def run(self, seconds: float) -> None:
        """Everything that happens in so many seconds."""
        for _ in range(round(seconds * self.FPS)):
            self.step += 1
            for stream in range(self.streams):
                self._picture(stream, self.step / self.FPS)
            self._look()

    def _picture(self, stream: int, moment: float) -> None:
        name, is_key = str(stream), (self.step + 11 * stream) % self.GOP == 0
        has = self.turns.ask(name, moment) if is_key else self.turns.has(name)
        if not (has or is_key):
            return
        self.decoded[stream] += 1
        self.keyframes[stream] += is_key
        is_replaced = stream in self._waiting
        self.wasted += is_replaced
        if not is_replaced:
            self._waiting.append(stream)
        self.turns.sent(moment, replaced=is_replaced)

    def _look(self) -> None:
        self._credit += self.capacity / self.FPS
        looked = min(int(self._credit), len(self._waiting))
        del self._waiting[:looked]
        self.looked += looked
        self._credit = self._credit - looked if self._waiting else 0.0
        self.turns.worked(looked * 2 / self.capacity)


def test_nobody_waits_while_there_is_room_for_all() -> None:
    node = Node(4, capacity=80)
    node.run(60)
    assert node.turns._limit is None
    assert min(node.decoded.values()) > 59 * 15 - 30


def test_at_twice_the_capacity_little_is_decoded_for_nothing_and_much_is_looked_at() -> None:
    node = Node(8, capacity=60)
    node.run(10)
    node.looked = node.wasted = 0
    node.run(60)
    assert node.wasted / (node.looked + node.wasted) < 0.1
    assert node.looked / 60 > 0.7 * 60


def test_turns_go_round_and_everybody_shows_keyframes() -> None:
    node = Node(8, capacity=60)
    node.run(10)
    node.decoded.clear()
    node.keyframes.clear()
    node.run(120)
    assert min(node.decoded.values()) > 0.5 * max(node.decoded.values())
    assert min(node.keyframes.values()) >= 59


def test_one_stream_alone_is_never_put_off() -> None:
    node = Node(1, capacity=5)
    node.run(30)
    assert node.decoded[0] > 28 * 15


def test_once_there_is_room_everybody_has_a_turn_again() -> None:
    node = Node(8, capacity=60)
    node.run(20)
    assert node.turns._limit is not None
    node.capacity = 200
    node.run(90)
    assert node.turns._limit is None
    assert all(node.turns.has(str(stream)) for stream in range(8))


def test_a_moment_of_too_much_changes_nothing() -> None:
    node = Node(4, capacity=70)
    node.run(10)
    node.capacity = 20
    node.run(0.6)
    node.capacity = 70
    node.run(10)
    assert node.turns._limit is None


def test_one_more_is_tried_more_and_more_seldom() -> None:
    node = Node(8, capacity=60)
    raised = []
    for _ in range(300):
        before = node.turns._raised_at
        node.run(1)
        if node.turns._raised_at != before:
            raised.append(node.step / node.FPS)
    waits = [later - sooner for sooner, later in itertools.pairwise(raised)]
    assert not waits or max(waits) >= 20


def test_a_reader_that_falls_behind_means_too_much() -> None:
    turns, moment = Turns(consumers=2), 0.0
    for number in range(80):
        moment = number / 10
        for stream in "abcd":
            turns.ask(stream, moment)
        turns.fell_behind()
    assert len(turns._having) < 4


def test_a_turn_is_taken_over_when_it_is_over_and_not_before() -> None:
    turns = Turns(consumers=2)
    turns._limit = 1
    assert turns.ask("a", 0.0)
    assert not turns.ask("b", 0.5)
    assert not turns.ask("c", 0.8)
    assert turns.has("a")
    assert not turns.ask("c", TURN), "b waits longer"
    assert turns.ask("b", TURN)
    assert not turns.has("a")
    turns.leave("b")
    assert turns.ask("c", TURN + 1)
    assert not turns.ask("a", TURN + 2)
