"""What open pages are told of an event, and who may hear it."""

from __future__ import annotations

from typing import Any

from apps.core import clock
from apps.devices.models import CameraAccess
from apps.events.models import Event, EventAudience


def event_summary(event: Event) -> dict[str, Any]:
    """The event in the few words a list row or a map marker needs; `picture` is a capture id, never a link."""
    camera, kind = event.camera, event.event_type
    return {
        "id": str(event.pk),
        "code": kind.code,
        "name": kind.name_zh,
        "name_zh": kind.name_zh,
        "name_en": kind.name_en,
        "level": event.level,
        "camera_id": str(camera.pk),
        "camera_name": camera.name,
        "place": event.address,
        "lon": camera.longitude,
        "lat": camera.latitude,
        "time": event.time.isoformat(),
        "last_seen": event.last_seen.isoformat(),
        "ended_at": event.ended_at.isoformat() if event.ended_at else None,
        "occurrences": event.occurrences,
        "score": round(event.score, 3),
        "algorithm": event.algorithm_version.algorithm.name_zh,
        "review_state": event.review_state,
        "state": event.review_state,
        "picture": str(event.capture_id) if event.capture_id else None,
    }


def event_topics(event: Event) -> list[str]:
    """The audiences of 2-house: manager, camera, organisations served, subscribe grants on (camera, event type)."""
    served = EventAudience.objects.filter(event=event).values_list("organisation_id", flat=True)
    topics = [f"m:{event.camera.managing_organisation_id}", f"c:{event.camera_id}"]
    topics += [f"o:{organisation}" for organisation in served]
    if not _is_too_old_for_some(event):
        topics.append(f"s:{event.camera_id}:{event.event_type_id}")
    return topics


def _is_too_old_for_some(event: Event) -> bool:
    """Whether the frame lies before the history of a valid grant: such events do not exist for its holder."""
    moment = clock.now()
    return CameraAccess.objects.filter(
        camera_id=event.camera_id,
        action="subscribe",
        valid_from__lte=moment,
        valid_to__gt=moment,
        history_from__gt=event.time,
        grant__event_type_links__event_type_id=event.event_type_id,
    ).exists()
