"""From an event's news to one delivery row per (subscription, message), in the transaction of the news."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from apps.core import clock
from apps.core.ids import key_id
from apps.core.wake import wake
from apps.events.models import Event
from apps.openapi.choices import MessageKind
from apps.openapi.models import Delivery, Subscription
from apps.openapi.selectors import matching_subscriptions


def message_id(event: Event, kind: str) -> tuple[UUID, datetime]:
    """The stable id of the message and the moment inside it.

    One id per (event, kind, number): `raised` and `ended` come once, `updated` once per occurrence, `reviewed` once
    per told verdict. The same news, however often it is told, is the same `webhook-id`.
    """
    moments = {
        MessageKind.UPDATED: (event.last_seen, event.occurrences),
        MessageKind.ENDED: (event.ended_at or event.last_seen, 1),
        MessageKind.REVIEWED: (event.reviewed_at or event.time, event.reviewed_at),
    }
    moment, number = moments.get(kind, (event.time, event.handling if kind == "handled" else 1))
    return key_id(moment, "message", event.pk, kind, number), moment


def enqueue_event(*, event: Event, kind: str) -> int:
    """Queue the messages that `kind` causes; doing it twice adds nothing. Returns the rows asked for."""
    rows = [
        delivery_row(subscription, event, one)
        for subscription, kinds in matching_subscriptions(event, kind)
        for one in kinds
    ]
    if rows:
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)
        wake("delivery")
    return len(rows)


def delivery_row(subscription: Subscription, event: Event, kind: str) -> Delivery:
    """The unsaved row; its primary key is the idempotency key (endpoint, message)."""
    message, moment = message_id(event, kind)
    return Delivery(
        id=key_id(moment, "delivery", subscription.pk, message),
        subscription=subscription,
        message=message,
        kind=kind,
        event_id=event.pk,
        due_at=clock.now(),
    )
