"""Counts for the metrics."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Min, Q

from apps.core.ids import id_floor
from apps.openapi.choices import DeliveryState
from apps.openapi.models import Attempt, Delivery, Subscription


def waiting_by_state(now: datetime) -> dict[str, tuple[int, float]]:
    """State → (messages of served endpoints, seconds by which the oldest is overdue); states without any are absent."""
    rows = (
        Delivery.objects.filter(
            state__in=[DeliveryState.QUEUED, DeliveryState.RETRYING], subscription__state="active"
        )
        .order_by()
        .values_list("state")
        .annotate(Count("pk"), Min("due_at"))
    )
    return {state: (count, max(0.0, (now - oldest).total_seconds())) for state, count, oldest in rows}


def attempts_since(moment: datetime) -> dict[str, int]:
    """`delivered` and `failed` attempts; the time stands in the id."""
    return Attempt.objects.filter(pk__gte=id_floor(moment)).aggregate(
        delivered=Count("pk", filter=Q(error="")), failed=Count("pk", filter=~Q(error=""))
    )


def endpoints_by_state() -> dict[str, int]:
    """State → subscriptions."""
    return dict(Subscription.objects.order_by().values_list("state").annotate(Count("pk")))
