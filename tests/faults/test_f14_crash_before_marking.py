"""F14: the sender dies between the receiver's 2xx and writing it down: sent twice, with one `webhook-id`."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from apps.core import clock
from apps.events.signals import event_changed
from apps.openapi.models import Delivery
from tests.openapi import builders
from tests.support import factories
from tests.support.crash import crashing
from tests.support.receiver import Receiver

SCRIPT = """
import asyncio, os, sys
from django.conf import settings
from workers import delivery

settings.VANTAGE_OUTBOUND_EXACT = [sys.argv[1]]
delivery.record_outcomes = lambda outcomes: os._exit(9)

async def main():
    async with delivery.DeliveryProcess() as process:
        await process.step()

asyncio.run(main())
raise SystemExit("the fault point was not reached")
"""


@pytest.mark.django_db(transaction=True)
def test_f14_the_same_message_id_arrives_again(outbound_exact: list[str]) -> None:
    with Receiver() as receiver:
        outbound_exact.append(receiver.address)
        organisation = factories.organisation()
        made = builders.subscription(builders.app(organisation), receiver.url)
        event = builders.event(factories.camera(organisation))
        event_changed.send(sender=type(event), event=event, kind="raised", phase="new")

        assert crashing(SCRIPT, receiver.address) == 9
        assert len(receiver.visits) == 1
        assert builders.deliver() == 0, "the lease of the dead sender still holds"

        with time_machine.travel(clock.now() + timedelta(seconds=31)):
            assert builders.deliver() == 1
        assert len(receiver.visits) == 2
        assert len(set(receiver.messages)) == 1
        assert {visit.document["id"] for visit in receiver.visits} == set(receiver.messages)
        assert receiver.visits[0].verified(made.secret)
    row = Delivery.objects.get()
    assert (row.state, row.attempts) == ("delivered", 1)


@pytest.mark.django_db(transaction=True)
def test_f14_a_sender_that_wakes_after_its_lease_is_fenced() -> None:
    from apps.core.outbound.client import Answer
    from apps.openapi.services import Outcome, lease_due, record_outcomes

    organisation = factories.organisation()
    row = _queued(organisation)
    (first,) = lease_due(each=1, total=1)
    with time_machine.travel(clock.now() + timedelta(seconds=31)):
        (second,) = lease_due(each=1, total=1)
        assert second.fence == first.fence + 1
        late = Outcome(row.pk, row.subscription_id, first.fence, 0, clock.now(), Answer(500, 1))
        assert record_outcomes([late]) == 0
    assert Delivery.objects.get().state == "queued"


def _queued(organisation: object) -> Delivery:
    from django.test import override_settings

    with override_settings(VANTAGE_OUTBOUND_EXACT=["127.0.0.1:9"]):
        made = builders.subscription(builders.app(organisation), "http://127.0.0.1:9/")  # type: ignore[arg-type]
    return Delivery.objects.create(
        id=builders.uuid7(),
        subscription=made.subscription,
        message=builders.uuid7(),
        kind="raised",
        due_at=clock.now(),
    )
