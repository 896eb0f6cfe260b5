"""Pictures of events: who sees the event sees its picture, through the media door."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.analysis.models import SceneRule
from apps.devices.models import Capture
from apps.devices.registry import MediaItem
from apps.devices.services import media_url
from apps.events.choices import ReviewState
from apps.events.models import Event, EventOccurrence
from apps.events.selectors.hearing import is_hearing_sound


def event_item(principal: Any, event_id: UUID) -> MediaItem | None:
    """Media kind `event`: the capture that raised it, with its targets and the regions of its rule."""
    rows = Event.objects.visible_to(principal).select_related("camera__managing_organisation")
    event = rows.filter(pk=event_id).first()
    if event is None or event.capture_id is None or not is_hearing_sound(principal, event):
        return None
    return _item(principal, event, event.capture_id, event.targets)


def occurrence_item(principal: Any, occurrence_id: UUID) -> MediaItem | None:
    """Media kind `occurrence`: the capture of a repeat."""
    rows = EventOccurrence.objects.visible_to(principal)
    row = rows.select_related("event__camera__managing_organisation").filter(pk=occurrence_id).first()
    if row is None or row.capture_id is None or not is_hearing_sound(principal, row.event):
        return None
    return _item(principal, row.event, row.capture_id, row.targets)


def _item(principal: Any, event: Event, capture_id: UUID, targets: list[dict[str, Any]]) -> MediaItem | None:
    capture = Capture.objects.filter(pk=capture_id, deleted_at__isnull=True).select_related("camera").first()
    if capture is None:
        return None
    return MediaItem(
        path=capture.path,
        time=capture.time,
        camera_id=capture.camera_id,
        owner_id=capture.camera.managing_organisation_id,
        detections=targets,
        regions=regions_of(event),
        implied_purpose="review" if is_work(principal, event) else "",
        state=capture.media_state,
    )


def is_work(principal: Any, event: Event) -> bool:
    """Judging what waits to be judged needs no further reason."""
    return event.review_state == ReviewState.PENDING and bool(principal.can("events.review"))


def regions_of(event: Event) -> list[dict[str, Any]]:
    """The regions of the scene rule that decided."""
    rule = event.explanation.get("rule")
    if not rule:
        return []
    return SceneRule.objects.filter(pk=rule).values_list("regions", flat=True).first() or []


def picture_link(principal: Any, event: Event, variant: str = "frame") -> str:
    """A link for this principal; empty where the event has no picture."""
    if event.capture_id is None:
        return ""
    return media_url("event", event.pk, principal, variant=variant)


def occurrence_link(principal: Any, occurrence: EventOccurrence, variant: str = "thumb") -> str:
    """The same for a repeat."""
    if occurrence.capture_id is None:
        return ""
    return media_url("occurrence", occurrence.pk, principal, variant=variant)
