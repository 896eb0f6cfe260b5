"""Writing to the outbox, and the relay that empties it (leases, attempts, fencing)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from apps.core import clock
from apps.core.models import OutboxMessage
from apps.core.registry import Registry
from apps.core.wake import wake

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=30)
Handler = Callable[[list[OutboxMessage]], None]
handlers: Registry[Handler] = Registry("outbox topic")


def write(
    topic: str,
    payload: dict[str, Any],
    *,
    key: str = "",
    due_at: datetime | None = None,
    id: UUID | None = None,
) -> OutboxMessage:
    """Add a message to the present transaction. `due_at` (default now) delays it; a given `id` makes it idempotent."""
    message = OutboxMessage(topic=topic, payload=payload, key=key, due_at=due_at or clock.now())
    if id is not None:
        message.id = id
        existing = OutboxMessage.objects.filter(pk=id).first()
        if existing is not None:
            return existing
    message.save(force_insert=True)
    wake("outbox")
    return message


def cancel(message_id: UUID) -> bool:
    """Withdraw a message that has not been sent; False when it has gone."""
    deleted, _ = OutboxMessage.objects.filter(pk=message_id).delete()
    return bool(deleted)


def lease_due(limit: int = 500) -> list[OutboxMessage]:
    """Due messages in order of id, leased to the caller for 30 s (FOR UPDATE SKIP LOCKED)."""
    moment = clock.now()
    with transaction.atomic():
        due = OutboxMessage.objects.filter(
            Q(lease_until__isnull=True) | Q(lease_until__lt=moment), due_at__lte=moment
        )
        rows = list(due.order_by("id").select_for_update(skip_locked=True)[:limit])
        if rows:
            OutboxMessage.objects.filter(pk__in=[row.pk for row in rows]).update(
                lease_until=moment + LEASE, fence=F("fence") + 1, attempts=F("attempts") + 1
            )
            for row in rows:
                row.fence += 1
                row.attempts += 1
    return rows


def relay_once(limit: int = 500) -> int:
    """Send one batch; a handler's own transaction deletes what it did. Returns how many were handled."""
    rows = lease_due(limit)
    by_topic: dict[str, list[OutboxMessage]] = {}
    for row in rows:
        by_topic.setdefault(row.topic, []).append(row)
    for topic, batch in by_topic.items():
        _handle(topic, batch)
    return len(rows)


def _handle(topic: str, batch: list[OutboxMessage]) -> None:
    try:
        with transaction.atomic():
            handlers.get(topic)(batch)
            for fence in {row.fence for row in batch}:
                held = [row.pk for row in batch if row.fence == fence]
                OutboxMessage.objects.filter(pk__in=held, fence=fence).delete()
    except Exception as error:
        logger.exception("outbox topic %s failed", topic)
        for row in batch:
            delay = timedelta(seconds=min(300, 2 ** min(row.attempts, 8)))
            OutboxMessage.objects.filter(pk=row.pk, fence=row.fence).update(
                lease_until=None, due_at=clock.now() + delay, last_error=type(error).__name__
            )
