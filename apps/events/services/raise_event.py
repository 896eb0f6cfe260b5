"""A raw event becomes an event."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from apps.core.ids import uuid7
from apps.events.models import Event, RawEvent
from apps.events.services.new_event import Decision
from apps.events.services.outcomes import Raised, record_outcomes


@transaction.atomic
def raise_event(*, raw: RawEvent, decision: Decision) -> Event:
    """The event of this raw event, made once however often it is called; tells of it only the first time.

    Raises Refusal (code `unmapped_item`) for a raw event without event type.
    """
    existing = Event.objects.filter(raw_event_id=raw.pk).first()
    if existing is not None:
        return existing
    identifier = uuid7()
    try:
        with transaction.atomic():
            record_outcomes([Raised(raw, identifier, decision)])
    except IntegrityError:
        return Event.objects.get(raw_event_id=raw.pk)
    return Event.objects.get(pk=identifier)
