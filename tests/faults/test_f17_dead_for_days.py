"""F17: an endpoint that only failed for five days is disabled, its owner told; resumed, it gets one probe from us."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from apps.accounts.models import User
from apps.core import clock
from apps.events.signals import event_changed
from apps.openapi.models import Delivery, Subscription
from apps.openapi.services import replay_range, resume_subscription
from tests.openapi import builders
from tests.support import factories
from tests.support.receiver import Receiver, Reply
from workers.delivery import DeliveryProcess

pytestmark = pytest.mark.django_db(transaction=True)
BACKLOG = 12


def scene(receiver: Receiver, outbound_exact: list[str]) -> tuple[Any, User]:
    """(camera, owner) of a bureau whose app subscribes the receiver."""
    outbound_exact.append(receiver.address)
    organisation = factories.organisation()
    owner = factories.user(organisation, ("developer",))
    app = builders.app(organisation)
    app.created_by = owner
    app.save()
    builders.subscription(app, receiver.url)
    return factories.camera(organisation), owner


def tell(camera: Any, count: int = 1) -> None:
    for _number in range(count):
        event = builders.event(camera)
        event_changed.send(sender=type(event), event=event, kind="raised", phase="new")


def walk(days: float) -> None:
    """Deliver at each due moment until `days` from now are over or the endpoint is disabled."""
    end = clock.now() + timedelta(days=days)
    for _round in range(60):
        row = Delivery.objects.filter(state__in=["queued", "retrying"]).order_by("due_at").first()
        if row is None or row.due_at > end or Subscription.objects.get().state == "disabled":
            return
        with time_machine.travel(max(row.due_at, clock.now()) + timedelta(seconds=1)):
            builders.deliver()


def dead(receiver: Receiver, outbound_exact: list[str]) -> tuple[Any, User, Any]:
    """A subscription that failed for five days and a bit; (camera, owner, the moment after)."""
    camera, owner = scene(receiver, outbound_exact)
    start = clock.now()
    tell(camera)
    builders.deliver()
    for day in (1, 2, 3, 4, 5):
        with time_machine.travel(start + timedelta(days=day, minutes=day)):
            tell(camera)
            walk(0.5)
    return camera, owner, start + timedelta(days=5, hours=1)


def test_f17_five_days_of_failures_disable_once_and_tell_the_owner(outbound_exact: list[str]) -> None:
    with Receiver(500) as receiver:
        camera, owner, later = dead(receiver, outbound_exact)
        row = Subscription.objects.get()
        assert (row.state, row.state_reason) == ("disabled", "failing")
        assert owner.notifications.filter(kind="subscription.disabled").count() == 1
        visits = len(receiver.visits)
        with time_machine.travel(later):
            tell(camera)
            assert builders.deliver() == 0
        assert len(receiver.visits) == visits
    assert set(Delivery.objects.values_list("state", flat=True)) == {"dead"}


def test_f17_alternating_answers_never_disable(outbound_exact: list[str]) -> None:
    with Receiver(*[500, 200] * 40) as receiver:
        camera, _owner = scene(receiver, outbound_exact)
        start = clock.now()
        for half_day in range(20):
            with time_machine.travel(start + timedelta(hours=12 * half_day)):
                tell(camera)
                builders.deliver()
        assert len(receiver.visits) >= 20
    assert Subscription.objects.get().state == "active"


def test_f17_one_probe_across_all_processes_then_the_backlog(outbound_exact: list[str]) -> None:
    with Receiver(500) as receiver:
        camera, _owner, later = dead(receiver, outbound_exact)
        first = clock.now() - timedelta(days=1)
        with time_machine.travel(later):
            subscription = Subscription.objects.get()
            for _number in range(BACKLOG):
                builders.event(camera)
            resume_subscription(by=builders.SYSTEM, subscription=subscription)
            plan = replay_range(
                by=builders.SYSTEM, subscription=Subscription.objects.get(), since=first, until=clock.now()
            )
            assert plan.count >= BACKLOG
            receiver.visits.clear()
            receiver.replies = [Reply(204, wait=0.5)]
            assert asyncio.run(_two_rounds_at_once()) == 1, "one probe, whoever sends it"
            assert len(receiver.visits) == 1
            assert not Subscription.objects.get().is_probed
            receiver.replies = [Reply(204)]
            builders.deliver()
            acknowledged = {str(row.message) for row in Delivery.objects.filter(state="delivered")}
        assert not Delivery.objects.exclude(state="delivered").exists()
        assert acknowledged == set(receiver.messages)
        assert len(receiver.visits) == plan.count


def test_f17_a_probe_that_fails_waits_before_the_next(outbound_exact: list[str]) -> None:
    with Receiver(500) as receiver:
        camera, _owner, later = dead(receiver, outbound_exact)
        with time_machine.travel(later):
            resume_subscription(by=builders.SYSTEM, subscription=Subscription.objects.get())
            tell(camera, 5)
            receiver.visits.clear()
            assert builders.deliver() == 1
            assert builders.deliver() == 0
        with time_machine.travel(later + timedelta(minutes=6)):
            assert builders.deliver() == 1
        assert len(receiver.visits) == 2


async def _two_rounds_at_once() -> int:
    """Two sending processes with connections of their own, side by side; the attempts they made in a first round."""

    async def first_round(process: DeliveryProcess) -> int:
        async with process:
            taken = await process._take()
            await process._drain()
            return taken

    return sum(await asyncio.gather(*(first_round(DeliveryProcess()) for _number in range(2))))
