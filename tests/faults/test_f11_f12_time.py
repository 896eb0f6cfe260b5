"""F11, F12: slots missed while nobody led, daylight saving, and clocks that jump."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, available_timezones

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from kombu.exceptions import OperationalError

from apps.analysis.planner.heap import Agenda, Wanted
from apps.analysis.selectors.demand import Demand
from apps.core import clock, leases
from apps.core.periodic import Periodic, schedule
from workers.management import recurring
from workers.management.leader import SKEW_ALARM, Leader
from workers.management.recurring import MOST_FIRINGS, Recurring, claim

START = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
ZONES = sorted(available_timezones())


class Counting:
    """A task that counts how often it was sent."""

    def __init__(self) -> None:
        self.sent = 0
        self.is_away = False

    def apply_async(self, **_options: Any) -> None:
        if self.is_away:
            raise OperationalError("the broker is away")
        self.sent += 1


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes one task the whole schedule."""

    def one(seconds: float, missed: str) -> Counting:
        task = Counting()
        monkeypatch.setattr(schedule, "_items", {"test": Periodic(task, seconds, missed)})  # type: ignore[arg-type]
        return task

    return one


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("missed", "late", "sent"),
    [
        ("once", 5, 1),
        ("once", 500, 1),
        ("all", 5, 18),
        ("skip", 500, 0),
        ("skip", 5, 1),
    ],
)
def test_f11_three_hours_down_every_ten_minutes(
    only: Any, missed: str, late: int, sent: int, caplog: pytest.LogCaptureFixture
) -> None:
    task = only(600, missed)
    with time_machine.travel(START, tick=False):
        Recurring().fire()
    assert task.sent == 1
    with time_machine.travel(START + timedelta(hours=3, seconds=late), tick=False):
        fresh = Recurring()
        for _ in range(3):
            fresh.fire()
    assert task.sent == 1 + sent
    assert f"17 slots passed unfired, policy: {missed}" in caplog.text
    with time_machine.travel(START + timedelta(hours=3, minutes=10), tick=False):
        fresh.fire()
    assert task.sent == 2 + sent, "the next slot is an ordinary one"


@pytest.mark.django_db(transaction=True)
def test_f11_a_slot_that_could_not_be_sent_is_sent_when_the_broker_is_back(only: Any) -> None:
    task = only(600, "all")
    with time_machine.travel(START, tick=False):
        Recurring().fire()
    task.is_away = True
    with time_machine.travel(START + timedelta(minutes=10), tick=False):
        fresh = Recurring()
        for _ in range(2):
            with pytest.raises(OperationalError):
                fresh.fire()
        task.is_away = False
        for _ in range(2):
            fresh.fire()
    assert task.sent == 2


@pytest.mark.django_db
def test_f11_making_up_is_bounded(only: Any) -> None:
    task = only(1, "all")
    with time_machine.travel(START, tick=False):
        Recurring().fire()
    with time_machine.travel(START + timedelta(days=3), tick=False):
        Recurring().fire()
    assert task.sent == 1 + MOST_FIRINGS


@pytest.mark.django_db
def test_f12_a_clock_set_back_a_minute_fires_nothing_twice_and_misses_nothing(only: Any) -> None:
    task, firing = only(10, "once"), Recurring()
    offsets = [*range(0, 100, 5), *range(40, 160, 5)]  # after 95 s the clock says 40 s again
    for seconds in offsets:
        with time_machine.travel(START + timedelta(seconds=seconds), tick=False):
            firing.fire()
            Recurring().fire()  # and a second scheduler with the same clock
    assert task.sent == 16


@pytest.mark.django_db
def test_f12_a_claim_is_one_callers() -> None:
    assert claim("test.claim", 7, START) == 6
    assert claim("test.claim", 7, START) is None
    assert claim("test.claim", 5, START) is None
    assert claim("test.claim", 9, START) == 7


def wanted(camera: UUID, interval: float) -> Wanted:
    class Always:
        def is_active(self, at: datetime) -> bool:
            assert at.utcoffset() == timedelta(0), "planned in UTC"
            return True

    return Wanted(uuid4(), camera, 0, interval, (Demand(Always(), None),))  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    year=st.integers(2020, 2030),
    interval=st.sampled_from([300.0, 420.0, 1000.0]),
)
def test_f12_no_slot_is_missing_or_double_around_a_change_of_the_hour(
    zone: str, year: int, interval: float
) -> None:
    place = ZoneInfo(zone)
    day = datetime(year, 1, 1, tzinfo=place)
    change = next(
        (
            day + timedelta(days=n)
            for n in range(366)
            if (day + timedelta(days=n)).utcoffset() != (day + timedelta(days=n + 1)).utcoffset()
        ),
        day,
    )
    start = change.astimezone(UTC)
    agenda = Agenda([wanted(uuid4(), interval)], start)
    found = [slot for hours in range(1, 49) for slot in agenda.pop(start + timedelta(hours=hours))]
    gaps = {(b.planned_at - a.planned_at).total_seconds() for a, b in pairwise(found)}
    assert gaps == {interval}
    assert len({slot.id for slot in found}) == len(found)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.integers(-60, 30), min_size=5, max_size=60))
def test_f12_a_jumping_clock_plans_each_slot_once(steps: list[int]) -> None:
    camera, moment = UUID(int=7), START
    item = wanted(camera, 5.0)
    agenda, planned, latest = Agenda([item], START), Counter[UUID](), START
    for step in [*steps, 90]:
        moment = max(START, moment + timedelta(seconds=step))
        latest = max(latest, moment)
        planned.update(slot.id for slot in agenda.pop(moment))
    whole = Agenda([item], START).pop(latest)
    assert planned == Counter(slot.id for slot in whole)


@pytest.mark.django_db
def test_f12_a_clock_that_is_off_raises_an_alarm(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert abs(clock.skew()) < SKEW_ALARM
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=5)):
        assert clock.skew() == pytest.approx(5, abs=1)
        leader = Leader()
        leader._compare_clocks()
        leader._renew()
    assert "this clock is +5." in caplog.text or "this clock is +4." in caplog.text
    from apps.core.models import ProcessLease

    assert ProcessLease.objects.get(name="scheduler").detail["clock_skew"] > SKEW_ALARM
    leases.release("scheduler")


def test_f12_nothing_but_the_display_knows_a_time_zone() -> None:
    """The recurring slots are whole multiples of seconds since the epoch."""
    assert recurring.EPOCH.utcoffset() == timedelta(0)
