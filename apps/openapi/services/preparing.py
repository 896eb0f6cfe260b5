"""From leased rows to bytes on the wire: rights asked again, bodies built on first use, secrets opened."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from apps.core import clock
from apps.core.outbound.client import Answer, GuardedClient
from apps.core.trace import trace_of
from apps.events.models import Event
from apps.openapi.choices import AttemptError, DeliveryState
from apps.openapi.models import Delivery
from apps.openapi.selectors import is_tellable, visible_events_by_app
from apps.openapi.services.arrays import execute_arrays
from apps.openapi.services.leasing import Leased
from apps.openapi.services.messages import build_message
from apps.openapi.services.outcomes import Outcome
from apps.openapi.services.secrets import open_secrets
from apps.openapi.services.signing import encode_body, signed_headers
from apps.openapi.services.templates import PICTURES, STAND_IN, Template

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


def prepare(rows: Sequence[Leased]) -> list[Prepared]:
    """What may be sent of the leased `rows`.

    A message whose event is gone, or that the App may no longer see, ends as dead. One that was never sent and that the
    review policy holds back again (a verdict that changed meanwhile) is withdrawn; a later verdict queues it anew.
    One that cannot be built says so and is tried again when its lease has ended.
    """
    events = _events({row.event_id for row in rows if row.event_id})
    apps = {row.subscription.app_id: row.subscription.app for row in rows}
    asked: dict[UUID, set[UUID]] = {}
    for row in rows:
        if row.event_id in events:
            asked.setdefault(row.subscription.app_id, set()).add(row.event_id)
    seen = visible_events_by_app(apps, asked)
    workshop = _Workshop()
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
                item = workshop.prepared(row, event)
            except (DatabaseError, InterfaceError):
                raise
            except Exception:  # one message that cannot be built must not hold the others up
                logger.exception("message %s cannot be built", row.message)
                _mark(row, AttemptError.UNBUILT)
            else:
                ready.append(item)
                if row.body is None:
                    built.append(item)
    _keep_bodies(built)
    return ready


class _Workshop:
    """What the messages of one batch have in common is made once: secrets, templates, traces."""

    def __init__(self) -> None:
        self._secrets: dict[UUID, tuple[str, ...]] = {}
        self._templates: dict[tuple[UUID, str], Template] = {}
        self._traces: dict[UUID, str] = {}

    def prepared(self, row: Leased, event: Event | None) -> Prepared:
        """The row as it is sent: as it was kept, or built of what its event is now."""
        subscription = row.subscription
        if subscription.pk not in self._secrets:
            self._secrets[subscription.pk] = tuple(open_secrets(subscription))
        if event and event.pk not in self._traces:
            self._traces[event.pk] = trace_of(event.camera_id, event.preset, event.time)
        if row.body is not None:
            body = encode_body(json.loads(row.body))
        else:
            assert event is not None, "a message without an event is kept when it is made"
            body = self._template(row, event).filled(row.message, subscription, event)
        return Prepared(
            delivery=row.pk,
            subscription=subscription.pk,
            message=row.message,
            fence=row.fence,
            attempts=row.attempts,
            lease_until=row.lease_until,
            url=subscription.endpoint,
            body=body,
            secrets=self._secrets[subscription.pk],
            trace=self._traces[event.pk] if event else "",
        )

    def _template(self, row: Leased, event: Event) -> Template:
        key = event.pk, row.kind
        if key not in self._templates:
            document = build_message(
                subscription=row.subscription,
                event=event,
                kind=row.kind,
                message=STAND_IN,
                images=PICTURES,
            )
            self._templates[key] = Template(document)
        return self._templates[key]


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


def _events(identifiers: set[UUID]) -> dict[UUID, Event]:
    rows = Event.objects.select_related(
        "event_type__parent",
        "camera__managing_organisation",
        "camera__region",
        "algorithm_version__algorithm",
    ).prefetch_related("camera__identities", "event_type__code_maps")
    return rows.in_bulk(list(identifiers))


def _keep_bodies(items: Sequence[Prepared]) -> None:
    """What was built is kept before it is sent, in one statement; whoever prepares the row again sends the same."""
    if not items:
        return
    execute_arrays(
        "UPDATE openapi_delivery d SET body = v.body::jsonb "
        "FROM unnest(%b::uuid[], %b::int[], %b::text[]) AS v(id, fence, body) "
        "WHERE d.id = v.id AND d.fence = v.fence",
        [
            [item.delivery for item in items],
            [item.fence for item in items],
            [item.body.decode() for item in items],
        ],
    )


def _mark(row: Leased, reason: AttemptError) -> None:
    Delivery.objects.filter(pk=row.pk, fence=row.fence).update(last_error=reason)


def _end(row: Leased, reason: AttemptError) -> None:
    Delivery.objects.filter(pk=row.pk, fence=row.fence).update(
        state=DeliveryState.DEAD, last_error=reason, lease_until=None
    )
