"""An event ends when nothing repeats it for its merge window."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from apps.core import clock
from apps.events.models import Event
from apps.events.services.outcomes import RELATED, write_sightings
from apps.events.services.tell import News, tell_all

GRACE = timedelta(seconds=10)
"""How late a repeat may come through the pipeline before the wall clock ends its event."""


@transaction.atomic
def close_ended(limit: int = 500) -> int:
    """End open events that nothing repeated in time; returns how many. Safe to run anywhere, any number of times."""
    due = Event.objects.filter(ended_at__isnull=True, open_until__lt=clock.now() - GRACE)
    rows = due.order_by("open_until").select_for_update(skip_locked=True, of=("self",))
    events = list(rows.select_related(*RELATED)[:limit])
    for event in events:
        event.ended_at = event.last_seen
    write_sightings(events)
    tell_all([News(event, is_ended=True) for event in events], {})
    return len(events)
