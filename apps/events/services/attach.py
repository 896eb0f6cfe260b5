"""A repeat joins its main event."""

from __future__ import annotations

from uuid import UUID

from apps.events.models import Event, RawEvent
from apps.events.services.outcomes import Attached, record_outcomes


def attach_to_main(*, event_id: UUID, raw: RawEvent) -> Event:
    """Add `raw` as an occurrence (附属事件) of the main event; attaching it again changes nothing.

    A verdict on the main event holds for it. A repeat that comes late, after the wall clock ended its event but
    inside the window of the frames, opens the event again: live and replayed runs give the same events.
    """
    record_outcomes([Attached(raw, event_id)])
    return Event.objects.get(pk=event_id)
