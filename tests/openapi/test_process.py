"""The long-running process: woken or polling, it serves until it is told to stop."""

from __future__ import annotations

import asyncio
import threading

import pytest
from django.db import transaction

from apps.core.models import ProcessLease
from apps.events.signals import event_changed
from apps.openapi.models import Delivery
from tests.openapi import builders
from tests.support import factories
from tests.support.receiver import Receiver, Reply
from workers.delivery import DeliveryProcess
from workers.lanes import Breaker
from workers.management.commands.courier import _deliver


@pytest.mark.django_db(transaction=True)
def test_it_serves_until_stopped_and_keeps_a_lease_row(outbound_exact: list[str]) -> None:
    with Receiver(Reply(204, wait=0.05)) as receiver:
        outbound_exact.append(receiver.address)
        organisation = factories.organisation()
        builders.subscription(builders.app(organisation), receiver.url)
        camera = factories.camera(organisation)
        ended = threading.Event()
        thread = threading.Thread(target=_deliver, args=(ended,))
        thread.start()
        try:
            for _number in range(20):
                with transaction.atomic():
                    event = builders.event(camera)
                    event_changed.send(sender=type(event), event=event, kind="raised", phase="new")
            receiver.wait_for(20)
        finally:
            ended.set()
            thread.join(30)
        assert not thread.is_alive()
    assert len(set(receiver.messages)) == len(receiver.visits) == 20
    assert Delivery.objects.filter(state="delivered").count() == 20
    assert ProcessLease.objects.filter(name__startswith="delivery@").count() == 1


def test_the_breaker_opens_probes_and_closes() -> None:
    breaker, now = Breaker(), 1000.0
    for _failure in range(5):
        assert not breaker.is_open(now)
        breaker.note(False, now)
    assert breaker.is_open(now + 29)
    assert breaker.is_probing(now + 31)
    breaker.note(False, now + 31)
    assert breaker.is_open(now + 31 + 59)
    for _failure in range(10):
        breaker.note(False, now)
    assert not breaker.is_open(now + 301)
    breaker.note(True, now)
    assert not breaker.is_open(now)
    assert not breaker.is_probing(now)


@pytest.mark.django_db(transaction=True)
def test_f16_a_receiver_that_dribbles_costs_the_deadline_and_nobody_else(
    outbound_exact: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.core.outbound.client import GuardedClient

    with Receiver(Reply(200, wait=5.0)) as slow, Receiver(204) as quick:
        outbound_exact += [slow.address, quick.address]
        organisation = factories.organisation()
        camera = factories.camera(organisation)
        for receiver in (slow, quick):
            builders.subscription(builders.app(organisation), receiver.url)
        event = builders.event(camera)
        event_changed.send(sender=type(event), event=event, kind="raised", phase="new")

        async def once() -> None:
            async with DeliveryProcess(GuardedClient(deadline=0.5)) as process:
                await process.step()

        asyncio.run(once())
    states = dict(Delivery.objects.values_list("subscription__endpoint", "last_error"))
    assert states == {slow.url: "timeout", quick.url: ""}
