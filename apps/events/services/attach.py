"""A repeat joins its main event."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from apps.events.choices import Phase
from apps.events.models import Event, EventAudience, EventOccurrence, RawEvent
from apps.events.services.find import locked
from apps.events.services.raise_event import open_until
from apps.events.services.tell import tell


@transaction.atomic
def attach_to_main(*, event_id: UUID, raw: RawEvent) -> Event:
    """Add `raw` as an occurrence (附属事件) of the main event; attaching it again changes nothing.

    A verdict on the main event holds for it. A repeat that comes late, after the wall clock ended its event but
    inside the window of the frames, opens the event again: live and replayed runs give the same events.
    """
    event = locked(event_id)
    if raw.pk == event.raw_event_id:
        return event
    _row, made = EventOccurrence.objects.get_or_create(
        pk=raw.pk,
        defaults={
            "event": event,
            "time": raw.time,
            "targets": raw.targets,
            "score": raw.score,
            "capture_id": raw.capture_id,
        },
    )
    if not made:
        return event
    window = timedelta(seconds=float(event.explanation.get("merge_window_s", 0)))
    event.occurrences += 1
    event.first_seen = min(event.first_seen, raw.time)
    event.last_seen = max(event.last_seen, raw.time)
    event.open_until = open_until(raw.time, window)
    event.ended_at = None
    event.save(
        update_fields=["occurrences", "first_seen", "last_seen", "open_until", "ended_at", "updated_at"]
    )
    EventAudience.objects.bulk_create(
        [EventAudience(event=event, organisation_id=organisation) for organisation in raw.organisations],
        ignore_conflicts=True,
    )
    tell(event, kind="updated", phase=Phase.UPDATE)
    return event
