"""A message encoded once for many subscriptions says to each what it would say if it were built alone."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from apps.core import clock
from apps.core.ids import uuid7
from apps.devices.models import Capture
from apps.openapi.models import Delivery
from apps.openapi.services import build_message, lease_due, prepare
from apps.openapi.services.enqueue import enqueue_event
from apps.openapi.services.signing import encode_body
from apps.openapi.services.templates import PICTURES, STAND_IN, Template
from tests.openapi import builders
from tests.support import factories

pytestmark = pytest.mark.django_db(transaction=True)
KNOWN = {"tasks": ["巡查\u2028"], "package": "ab", "strategy": "s", "trace": "00-01"}


@pytest.fixture
def two(outbound_exact: list[str]) -> Any:
    """An event with pictures, told to two apps."""
    outbound_exact.append("127.0.0.1:9")
    home = factories.organisation()
    made = [builders.subscription(builders.app(home), "http://127.0.0.1:9/") for _number in range(2)]
    camera = factories.camera(home, name='"图}{像"\\')
    capture = Capture.objects.create(camera=camera, time=clock.now(), path="frames/x.jpg")
    event = builders.event(camera, capture_id=capture.pk, explanation=KNOWN)
    return [one.subscription for one in made], event


@pytest.mark.parametrize("kind", ["raised", "updated", "ended", "reviewed"])
def test_a_filled_template_is_the_message_built_alone(two: Any, kind: str) -> None:
    subscriptions, event = two
    with time_machine.travel(clock.now(), tick=False):
        template = Template(
            build_message(
                subscription=subscriptions[0], event=event, kind=kind, message=STAND_IN, images=PICTURES
            )
        )
        for subscription in subscriptions:
            message = uuid7()
            alone = build_message(subscription=subscription, event=event, kind=kind, message=message)
            assert template.filled(message, subscription, event) == encode_body(alone)


def test_what_was_kept_is_sent_again_byte_by_byte(two: Any) -> None:
    _subscriptions, event = two
    enqueue_event(event=event, kind="raised")
    first = {item.delivery: item.body for item in prepare(lease_due(each=9, total=9))}
    event.explanation = {}
    event.save()
    Delivery.objects.update(lease_until=None)
    again = {item.delivery: item.body for item in prepare(lease_due(each=9, total=9))}
    assert len(first) == 2
    assert first == again


def test_endpoints_take_turns(two: Any) -> None:
    subscriptions, event = two
    for subscription in subscriptions:
        Delivery.objects.bulk_create(
            Delivery(
                id=uuid7(), subscription=subscription, message=uuid7(), kind="raised", event_id=event.pk,
                due_at=clock.now(),
            )
            for _number in range(3)
        )  # fmt: skip
    rows = lease_due(each=2, total=10)
    order = [row.subscription.pk for row in rows]
    assert order == order[:2] * 2
    assert len(set(order)) == 2
    due = dict(Delivery.objects.values_list("pk", "due_at"))
    for one in set(order):
        moments = [due[row.pk] for row in rows if row.subscription.pk == one]
        assert moments == sorted(moments)
