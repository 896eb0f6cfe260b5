"""F15: a receiver that fails is tried again on the schedule, ± 10 %, then succeeds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import time_machine

from apps.core import clock
from apps.events.signals import event_changed
from apps.openapi.models import Attempt, Delivery
from apps.openapi.services.schedule import DELAYS, next_due
from tests.openapi import builders
from tests.support import factories
from tests.support.receiver import Receiver


def test_f15_the_schedule_is_the_promised_one() -> None:
    assert DELAYS == (0, 5, 300, 1800, 7200, 18000, 36000, 36000)
    now = clock.now()
    for attempts in range(1, 8):
        for chance in (0.0, 0.5, 1.0):
            due = next_due(attempts, now, lambda chance=chance: chance)
            assert due is not None
            ratio = (due - now).total_seconds() / DELAYS[attempts]
            assert ratio == pytest.approx(0.9 + 0.2 * chance, abs=1e-6)
    assert next_due(8, now, lambda: 0.5) is None


def _walk(until: str) -> list[datetime]:
    """Jump from one due moment to the next until the delivery is in this state; the moments of the attempts."""
    for _round in range(12):
        row = Delivery.objects.get()
        if row.state == until:
            break
        with time_machine.travel(row.due_at - timedelta(milliseconds=600)):
            assert builders.deliver() == 0 or row.attempts == 0, "not before its time"
        with time_machine.travel(row.due_at + timedelta(milliseconds=1)):
            builders.deliver()
    return list(Attempt.objects.order_by("at").values_list("at", flat=True))


def _tell(receiver: Receiver, outbound_exact: list[str]) -> None:
    outbound_exact.append(receiver.address)
    organisation = factories.organisation()
    builders.subscription(builders.app(organisation), receiver.url)
    event = builders.event(factories.camera(organisation))
    event_changed.send(sender=type(event), event=event, kind="raised", phase="new")


@pytest.mark.django_db(transaction=True)
def test_f15_three_failures_then_success(outbound_exact: list[str]) -> None:
    with Receiver(500, 500, 500, 200) as receiver:
        _tell(receiver, outbound_exact)
        moments = _walk("delivered")
        assert len(set(receiver.messages)) == 1
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    assert len(gaps) == 3
    for gap, wanted in zip(gaps, DELAYS[1:4], strict=True):
        assert 0.9 * wanted - 1 <= gap <= 1.1 * wanted + 2
    assert list(Attempt.objects.order_by("at").values_list("status", flat=True)) == [500, 500, 500, 200]


@pytest.mark.django_db(transaction=True)
def test_f15_after_the_last_attempt_it_is_dead_and_kept(outbound_exact: list[str]) -> None:
    with Receiver(500) as receiver:
        _tell(receiver, outbound_exact)
        moments = _walk("dead")
    assert len(moments) == len(DELAYS) == len(receiver.visits)
    assert Delivery.objects.get().body is not None


@pytest.mark.django_db(transaction=True)
def test_f15_messages_of_a_failing_time_arrive_and_their_order_is_reported(
    outbound_exact: list[str], record_property: Callable[[str, object], None]
) -> None:
    """A retried message does not hold later ones back, so the receiver orders by time: how much is out of order?"""
    with Receiver(500, 500, 500, 200) as receiver:
        outbound_exact.append(receiver.address)
        organisation = factories.organisation()
        builders.subscription(builders.app(organisation), receiver.url)
        camera, start = factories.camera(organisation), clock.now()
        for second in range(5):
            event = builders.event(camera, time=start + timedelta(seconds=second))
            event_changed.send(sender=type(event), event=event, kind="raised", phase="new")
        with time_machine.travel(start + timedelta(seconds=5)):
            builders.deliver()
        with time_machine.travel(start + timedelta(minutes=10)):
            builders.deliver()
        accepted = receiver.visits[3:]
    acknowledged = {str(row.message) for row in Delivery.objects.filter(state="delivered")}
    assert acknowledged == {visit.message for visit in accepted} <= set(receiver.messages)
    assert len(acknowledged) == 5
    times = [visit.document["time"] for visit in accepted]
    out_of_order = sum(later < earlier for earlier, later in pairwise(times))
    record_property("out_of_order", f"{out_of_order} of {len(times) - 1}")
    assert out_of_order <= 3, "each failure can move one message behind the others"
