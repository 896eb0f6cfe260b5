"""The test button: one real, signed example message, sent now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from asgiref.sync import async_to_sync
from django.db import transaction

from apps.accounts.permissions import Principal
from apps.core import audit, clock
from apps.core.ids import uuid7
from apps.core.outbound.client import GuardedClient
from apps.openapi.choices import DeliveryState
from apps.openapi.models import Attempt, Delivery, Subscription
from apps.openapi.permissions import must_manage
from apps.openapi.services.messages import example_message
from apps.openapi.services.outcomes import Outcome
from apps.openapi.services.preparing import Prepared, send
from apps.openapi.services.secrets import open_secrets
from apps.openapi.services.signing import encode_body

KIND = "test"


@dataclass(frozen=True, slots=True)
class TestResult:
    """What the receiver answered. `body` and `headers` as in `Answer`: shown only for hosts the administrator named."""

    __test__ = False

    delivery: Delivery
    is_success: bool
    status: int | None
    error: str
    milliseconds: int
    headers: Mapping[str, str]
    body: str


def send_test(*, by: Principal, subscription: Subscription) -> TestResult:
    """Send the example once, without retries, whatever the state of the endpoint; it stands in the log as a test."""
    must_manage(by, subscription.app)
    now, message = clock.now(), uuid7()
    body = example_message(subscription=subscription, message=message)
    item = Prepared(
        delivery=uuid7(),
        subscription=subscription.pk,
        message=message,
        fence=0,
        attempts=0,
        lease_until=now,
        url=subscription.endpoint,
        body=encode_body(body),
        secrets=tuple(open_secrets(subscription)),
    )
    outcome: Outcome = async_to_sync(_send_once)(item)
    with transaction.atomic():
        delivery = _log(subscription, item, outcome, body)
        audit.record(
            by,
            "subscription.test",
            subscription,
            owner_id=subscription.app.organisation_id,
            outcome="done" if outcome.is_success else "failed",
            status=outcome.answer.status,
            reason=outcome.answer.reason,
        )
    answer = outcome.answer
    return TestResult(
        delivery=delivery,
        is_success=outcome.is_success,
        status=answer.status,
        error=str(outcome.error),
        milliseconds=answer.milliseconds,
        headers=answer.headers,
        body=answer.body,
    )


async def _send_once(item: Prepared) -> Outcome:
    async with GuardedClient() as client:
        return await send(client, item)


def _log(subscription: Subscription, item: Prepared, outcome: Outcome, body: dict[str, object]) -> Delivery:
    delivery = Delivery.objects.create(
        id=item.delivery,
        subscription=subscription,
        message=item.message,
        kind=KIND,
        body=body,
        state=DeliveryState.DELIVERED if outcome.is_success else DeliveryState.DEAD,
        due_at=outcome.at,
        attempts=1,
        delivered_at=outcome.at if outcome.is_success else None,
        last_status=outcome.answer.status,
        last_error=str(outcome.error),
    )
    Attempt.objects.create(
        id=uuid7(),
        delivery=delivery,
        number=1,
        at=outcome.at,
        status=outcome.answer.status,
        error=str(outcome.error),
        milliseconds=outcome.answer.milliseconds,
        answer=outcome.answer.body,
    )
    return delivery
