"""F13: the process dies between the commit and the wake: the row is there, so the message goes."""

from __future__ import annotations

import pytest

from apps.openapi.models import Delivery
from tests.openapi import builders
from tests.support import factories
from tests.support.crash import crashing
from tests.support.receiver import Receiver

SCRIPT = """
import os
from apps.core import wake
from apps.events.models import Event
from apps.events.signals import event_changed
from django.db import transaction

wake._send = lambda topic: os._exit(9)  # after the commit, before anything is published
with transaction.atomic():
    event = Event.objects.get()
    event_changed.send(sender=Event, event=event, kind="raised", phase="new")
raise SystemExit("the fault point was not reached")
"""


@pytest.mark.django_db(transaction=True)
def test_f13_a_crash_after_commit_loses_nothing(outbound_exact: list[str]) -> None:
    with Receiver() as receiver:
        outbound_exact.append(receiver.address)
        organisation = factories.organisation()
        made = builders.subscription(builders.app(organisation), receiver.url)
        builders.event(factories.camera(organisation))

        assert crashing(SCRIPT) == 9
        assert Delivery.objects.get().state == "queued"
        assert receiver.visits == []

        builders.deliver()
        assert receiver.visits[0].verified(made.secret)
    assert Delivery.objects.get().state == "delivered"
