"""An event ends when nothing repeats it for its merge window."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from apps.core import clock
from apps.events.choices import Phase
from apps.events.models import Event, RawEvent
from apps.events.services.tell import tell

GRACE = timedelta(seconds=10)
"""How late a repeat may come through the pipeline before the wall clock ends its event."""


@transaction.atomic
def close_ended(limit: int = 500) -> int:
    """End open events that nothing repeated in time; returns how many. Safe to run anywhere, any number of times."""
    due = Event.objects.filter(ended_at__isnull=True, open_until__lt=clock.now() - GRACE)
    rows = due.order_by("open_until").select_for_update(skip_locked=True, of=("self",))
    events = list(rows.select_related("camera", "event_type", "algorithm_version__algorithm")[:limit])
    for event in events:
        _end(event)
    return len(events)


def end_before(raw: RawEvent) -> None:
    """End, by the clock of the frames, what stood at this place and had gone when `raw` was seen."""
    open_here = Event.objects.filter(
        camera_id=raw.camera_id,
        preset=raw.preset,
        event_type_id=raw.event_type_id,
        ended_at__isnull=True,
        last_seen__lt=raw.time,
    )
    rows = open_here.select_related("camera", "event_type", "algorithm_version__algorithm")
    for event in rows.select_for_update(of=("self",)):
        window = timedelta(seconds=float(event.explanation.get("merge_window_s", 0)))
        if event.last_seen + window < raw.time:
            _end(event)


def _end(event: Event) -> None:
    event.ended_at = event.last_seen
    event.save(update_fields=["ended_at", "updated_at"])
    tell(event, kind="ended", phase=Phase.ENDED)
