"""What an event's explanation says of its strategy is told; one message that cannot be built holds nobody up."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core.ids import uuid7
from apps.openapi.models import Delivery
from apps.openapi.services import preparing
from apps.openapi.services.enqueue import enqueue_event
from tests.openapi import builders
from tests.support import factories
from tests.support.receiver import Receiver


@pytest.mark.django_db(transaction=True)
def test_the_strategy_is_told_as_the_event_explains_it(outbound_exact: list[str]) -> None:
    home = factories.organisation()
    known = {"strategy": str(uuid7()), "strategy_version": 3, "trace": str(uuid7())}
    with Receiver(204) as receiver:
        outbound_exact.append(receiver.address)
        builders.subscription(builders.app(home), receiver.url)
        event = builders.event(factories.camera(home), explanation=known)
        enqueue_event(event=event, kind="raised")
        assert builders.deliver() == 1
        told = receiver.visits[0].document["data"]["strategy"]
    assert told == {"id": known["strategy"], "version": 3, "trace": known["trace"]}


@pytest.mark.django_db(transaction=True)
def test_a_message_that_cannot_be_built_holds_no_other_up(
    outbound_exact: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = factories.organisation()
    camera = factories.camera(home)
    broken, sound = builders.event(camera), builders.event(camera)
    build = preparing.build_message

    def unwilling(*, event: Any, **rest: Any) -> Any:
        if event.pk == broken.pk:
            raise AttributeError("an explanation of another shape")
        return build(event=event, **rest)

    monkeypatch.setattr(preparing, "build_message", unwilling)
    with Receiver(204) as receiver:
        outbound_exact.append(receiver.address)
        builders.subscription(builders.app(home), receiver.url)
        for event in (broken, sound):
            enqueue_event(event=event, kind="raised")
        assert builders.deliver() == 1
        assert receiver.visits[0].document["data"]["event"] == str(sound.pk)
    left = Delivery.objects.get(event_id=broken.pk)
    assert (left.state, left.last_error, left.attempts) == ("queued", "unbuilt", 0)
