"""The review queue: urgent first, then the oldest; nobody gets what another holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Min, OuterRef, Q
from django.utils import timezone

from apps.accounts.permissions import Principal
from apps.algorithms.models import EventType
from apps.core import clock
from apps.events.choices import ReviewState, Verdict
from apps.events.models import Event, EventLock, Review


def _waiting(principal: Principal) -> Any:
    """Pending events the principal may judge: not open elsewhere, not those it was unsure about itself."""
    held = EventLock.objects.filter(event_id=OuterRef("pk"), until__gt=clock.now()).exclude(
        holder_id=principal.id
    )
    unsure = Review.objects.filter(
        event_id=OuterRef("pk"), verdict=Verdict.UNSURE, undone_at__isnull=True, reviewer_id=principal.id
    )
    rows = Event.objects.visible_to(principal).filter(
        review_state=ReviewState.PENDING, expires_at__gt=clock.now()
    )
    return rows.filter(~Exists(held), ~Exists(unsure))


def review_queue(
    principal: Principal, *, event_type: str = "", after: UUID | None = None, limit: int = 12
) -> list[Event]:
    """The next events to judge, `after` a given one; `event_type` is a code, empty means all types."""
    rows = _waiting(principal)
    if event_type:
        rows = rows.filter(event_type__code=event_type)
    last = Event.objects.filter(pk=after).values("level", "time", "id").first() if after else None
    if last:
        later = Q(time__gt=last["time"]) | Q(time=last["time"], id__gt=last["id"])
        rows = rows.filter(Q(level__lt=last["level"]) | (Q(level=last["level"]) & later))
    return list(rows.listed().order_by("-level", "time", "id")[:limit])


@dataclass(frozen=True, slots=True)
class QueueType:
    """How much of one event type waits, and when the first of it expires."""

    event_type: EventType
    waiting: int
    first_expires: datetime


def queue_types(principal: Principal) -> list[QueueType]:
    """The queues by event type: urgent types first, then by how many wait."""
    counted = _waiting(principal).values("event_type").annotate(n=Count("pk"), first=Min("expires_at"))
    rows = {row["event_type"]: row for row in counted.order_by()}
    types = EventType.objects.filter(pk__in=rows)
    queues = [QueueType(kind, rows[kind.pk]["n"], rows[kind.pk]["first"]) for kind in types]
    return sorted(queues, key=lambda queue: (queue.event_type.level != "urgent", -queue.waiting))


def reviewed_today(principal: Principal) -> int:
    """How many verdicts of this person stand since midnight."""
    midnight = timezone.localtime(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    return Review.objects.filter(
        reviewer_id=principal.id, undone_at__isnull=True, created_at__gte=midnight
    ).count()
