"""From leased rows to bytes on the wire: rights asked again, bodies built on first use, secrets opened."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection

from apps.core import clock
from apps.core.outbound.client import Answer, GuardedClient
from apps.core.trace import trace_of
from apps.events.models import Event
from apps.openapi.choices import AttemptError, DeliveryState
from apps.openapi.models import Delivery
from apps.openapi.selectors import is_tellable, visible_events_by_app
from apps.openapi.services.messages import build_message, event_facts
from apps.openapi.services.outcomes import Outcome
from apps.openapi.services.secrets import open_secrets
from apps.openapi.services.signing import encode_body, signed_headers

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One message ready to send. Its secrets never leave memory."""

    delivery: UUID
    subscription: UUID
    message: UUID
    fence: int
    attempts: int
    lease_until: datetime
    url: str
    body: bytes
    secrets: tuple[str, ...]
    trace: str = ""

    def __repr__(self) -> str:
        return f"Prepared({self.delivery})"


def prepare(rows: Sequence[Delivery]) -> list[Prepared]:
    """What may be sent of the leased `rows`.

    A message whose event is gone, or that the App may no longer see, ends as dead. One that was never sent and that the
    review policy holds back again (a verdict that changed meanwhile) is withdrawn; a later verdict queues it anew.
    One that cannot be built says so and is tried again when its lease has ended.
    """
    events = _events([row.event_id for row in rows if row.event_id])
    apps = {row.subscription.app_id: row.subscription.app for row in rows}
    asked: dict[UUID, set[UUID]] = {}
    for row in rows:
        if row.event_id in events:
            asked.setdefault(row.subscription.app_id, set()).add(row.event_id)
    seen = visible_events_by_app(apps, asked)
    opened: dict[UUID, tuple[str, ...]] = {}
    facts: dict[tuple[UUID, str], dict[str, Any]] = {}
    ready, built = [], []
    for row in rows:
        event = events.get(row.event_id) if row.event_id else None
        if row.event_id and event is None:
            _end(row, AttemptError.GONE)
        elif event and (row.subscription.app_id, event.pk) not in seen:
            _end(row, AttemptError.NOT_VISIBLE)
        elif event and row.body is None and not is_tellable(row.subscription, event, row.kind):
            Delivery.objects.filter(pk=row.pk, fence=row.fence).delete()
        else:
            try:
                if row.subscription_id not in opened:
                    opened[row.subscription_id] = tuple(open_secrets(row.subscription))
                is_new = row.body is None
                if is_new and event is not None:
                    if (event.pk, row.kind) not in facts:
                        facts[event.pk, row.kind] = event_facts(event, row.kind)
                    row.body = build_message(
                        subscription=row.subscription,
                        event=event,
                        kind=row.kind,
                        message=row.message,
                        facts=facts[event.pk, row.kind],
                    )
                item = _prepared(row, event, opened[row.subscription_id])
                ready.append(item)
                if is_new:
                    built.append(item)
            except (DatabaseError, InterfaceError):
                raise
            except Exception:  # one message that cannot be built must not hold the others up
                logger.exception("message %s cannot be built", row.message)
                _mark(row, AttemptError.UNBUILT)
    _keep_bodies(built)
    return ready


async def send(client: GuardedClient, item: Prepared) -> Outcome:
    """One attempt, signed with the time of this attempt."""
    at = clock.now()
    headers = signed_headers(item.secrets, item.message, at, item.body)
    answer: Answer = await client.post(item.url, item.body, headers)
    outcome = Outcome(item.delivery, item.subscription, item.fence, item.attempts, at, answer)
    level = logging.DEBUG if outcome.is_success else logging.INFO
    if logger.isEnabledFor(level):
        words = "delivered" if outcome.is_success else "refused"
        logger.log(
            level, "delivery tried", extra={"trace": item.trace, "delivery": item.delivery, "outcome": words}
        )
    return outcome


def _events(identifiers: list[UUID]) -> dict[UUID, Event]:
    rows = Event.objects.select_related(
        "event_type__parent",
        "camera__managing_organisation",
        "camera__region",
        "algorithm_version__algorithm",
    ).prefetch_related("camera__identities", "event_type__code_maps")
    return rows.in_bulk(list(set(identifiers)))


def _keep_bodies(items: Sequence[Prepared]) -> None:
    """What was built is kept before it is sent, in one statement; whoever prepares the row again sends the same."""
    if not items:
        return
    # one document instead of an array of texts, in which each quotation mark would be escaped one by one
    listed = ",".join(
        f'{{"id":"{item.delivery}","fence":{item.fence},"body":{item.body.decode()}}}' for item in items
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE openapi_delivery d SET body = v.body "
            "FROM json_to_recordset(%s::json) AS v(id uuid, fence int, body jsonb) "
            "WHERE d.id = v.id AND d.fence = v.fence",
            [f"[{listed}]"],
        )


def _prepared(row: Delivery, event: Event | None, secrets: tuple[str, ...]) -> Prepared:
    assert row.body is not None
    assert row.lease_until is not None
    return Prepared(
        delivery=row.pk,
        subscription=row.subscription_id,
        message=row.message,
        fence=row.fence,
        attempts=row.attempts,
        lease_until=row.lease_until,
        url=row.subscription.endpoint,
        body=encode_body(row.body),
        secrets=secrets,
        trace=trace_of(event.camera_id, event.preset, event.time) if event else "",
    )


def _mark(row: Delivery, reason: AttemptError) -> None:
    Delivery.objects.filter(pk=row.pk, fence=row.fence).update(last_error=reason)


def _end(row: Delivery, reason: AttemptError) -> None:
    Delivery.objects.filter(pk=row.pk, fence=row.fence).update(
        state=DeliveryState.DEAD, last_error=reason, lease_until=None
    )
