"""When a reader leaves pictures out."""

from __future__ import annotations

import pytest

from workers.vision.holder.lag import Lag


def late_at(delays: list[float], interval: float = 0.1) -> list[int]:
    lag = Lag()
    return [
        index
        for index, delay in enumerate(delays)
        if lag.add(1000.0 + index * interval, 5.0 + index * interval + delay)
    ]


@pytest.mark.parametrize(
    ("delays", "late"),
    [
        ([0.0] * 20, []),
        ([0.0] * 5 + [0.15] * 15, []),
        ([0.0] * 5 + [0.4, 0.3, 0.2] + [0.0] * 10, []),
        ([0.5] * 5 + [0.0] * 10, []),
        ([0.0] * 5 + [0.11 * number for number in range(10)], [9, 10, 11, 12, 13, 14]),
        ([0.0] * 3 + [2.0] * 6, [6, 7, 8]),
    ],
)
def test_only_a_reader_that_stays_behind_is_late(delays: list[float], late: list[int]) -> None:
    assert late_at(delays) == late


def test_a_clock_that_is_set_starts_afresh() -> None:
    lag = Lag()
    assert not any(lag.add(number * 0.1, 100 + number * 0.1) for number in range(10))
    assert not any(lag.add(5000 + number * 0.1, 101 + number * 0.1) for number in range(10))
    assert not any(lag.add(10 + number * 0.1, 102 + number * 0.1) for number in range(10))
    assert lag.behind < 0.01


def test_packets_without_a_time_say_nothing() -> None:
    assert not Lag().add(None, 1.0)
