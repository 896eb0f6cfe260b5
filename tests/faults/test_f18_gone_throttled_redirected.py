"""F18: 410 disables, 429 with Retry-After is honoured (at most 1 h), 308 is a failure and its target sees nobody."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import time_machine

from apps.core import clock
from apps.events.signals import event_changed
from apps.openapi.models import Delivery, Subscription
from tests.openapi import builders
from tests.support import factories
from tests.support.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


def tell(receiver: Receiver, outbound_exact: list[str]) -> Any:
    """A bureau, a subscription, an event; the camera."""
    outbound_exact.append(receiver.address)
    organisation = factories.organisation()
    builders.subscription(builders.app(organisation), receiver.url)
    return told(factories.camera(organisation))


def told(camera: Any) -> Any:
    event = builders.event(camera)
    event_changed.send(sender=type(event), event=event, kind="raised", phase="new")
    return camera


def test_f18_410_ends_the_subscription_at_once(outbound_exact: list[str]) -> None:
    with Receiver(410) as receiver:
        camera = tell(receiver, outbound_exact)
        builders.deliver()
        told(camera)
        with time_machine.travel(clock.now() + timedelta(days=1)):
            assert builders.deliver() == 0
        assert len(receiver.visits) == 1
    assert (Subscription.objects.get().state, Subscription.objects.get().state_reason) == ("disabled", "gone")


@pytest.mark.parametrize(("asked", "seconds"), [("120", 120), ("date", 90), ("999999", 3600)])
def test_f18_429_is_left_alone_as_long_as_it_asks(
    outbound_exact: list[str], asked: str, seconds: int
) -> None:
    start = clock.now()
    value = format_datetime(start + timedelta(seconds=seconds)) if asked == "date" else asked
    with Receiver(Reply(429, headers={"retry-after": value}), 204) as receiver:
        tell(receiver, outbound_exact)
        builders.deliver()
        with time_machine.travel(start + timedelta(seconds=seconds - 3)):
            assert builders.deliver() == 0
        with time_machine.travel(start + timedelta(seconds=seconds + 5)):
            assert builders.deliver() == 1
        assert {str(row.message) for row in Delivery.objects.filter(state="delivered")} == set(
            receiver.messages
        )


def test_f18_308_is_a_failure_and_nobody_visits_the_target(outbound_exact: list[str]) -> None:
    with Receiver() as target, Receiver(Reply(308, headers={"location": target.url})) as receiver:
        outbound_exact.append(target.address)
        tell(receiver, outbound_exact)
        builders.deliver()
        assert (len(receiver.visits), target.visits) == (1, [])
    row = Delivery.objects.get()
    assert (row.state, row.last_status, row.last_error) == ("retrying", 308, "redirect")
