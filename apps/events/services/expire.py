"""An event nobody judged in time leaves the queue."""

from __future__ import annotations

from django.db import transaction
from prometheus_client import Counter

from apps.core import clock
from apps.events.choices import ReviewState
from apps.events.models import Event
from apps.events.services.tell import show

expired_events = Counter("vantage_expired_events", "Events that passed their validity unreviewed", ["level"])


@transaction.atomic
def expire_unreviewed(limit: int = 1000) -> int:
    """Move pending events past their validity to expired; returns how many.

    They are counted and shown, never pushed to subscribers unless a reviewer says that they are still there.
    """
    due = Event.objects.filter(review_state=ReviewState.PENDING, expires_at__lte=clock.now())
    rows = due.order_by("expires_at").select_for_update(skip_locked=True, of=("self",))
    events = list(rows.select_related("camera", "event_type", "algorithm_version__algorithm")[:limit])
    for event in events:
        event.review_state = ReviewState.EXPIRED
        event.save(update_fields=["review_state", "updated_at"])
        expired_events.labels(event.level).inc()
        show(event, "updated")
    return len(events)
