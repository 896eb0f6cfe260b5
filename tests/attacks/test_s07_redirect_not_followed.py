"""S07: a receiver that redirects elsewhere: not followed, a failure, and the target sees nobody."""

from __future__ import annotations

import pytest

from apps.events.signals import event_changed
from apps.openapi.models import Attempt, Delivery
from apps.openapi.services import send_test
from tests.openapi import builders
from tests.support import factories
from tests.support.receiver import Receiver, Reply


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_s07_redirects_are_failures(outbound_exact: list[str], status: int) -> None:
    with Receiver() as target, Receiver(Reply(status, headers={"location": target.url})) as receiver:
        outbound_exact += [receiver.address, target.address]
        organisation = factories.organisation()
        made = builders.subscription(builders.app(organisation), receiver.url)
        event = builders.event(factories.camera(organisation))
        event_changed.send(sender=type(event), event=event, kind="raised", phase="new")
        builders.deliver()
        result = send_test(by=builders.SYSTEM, subscription=made.subscription)
        assert len(receiver.visits) == 2
        assert target.visits == []
    assert (result.is_success, result.status, result.error) == (False, status, "redirect")
    assert "location" not in result.headers
    row = Delivery.objects.get(kind="raised")
    assert (row.state, row.last_status, row.last_error) == ("retrying", status, "redirect")
    assert Attempt.objects.filter(delivery=row, status=status, error="redirect").count() == 1
