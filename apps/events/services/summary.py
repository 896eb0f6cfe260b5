"""What open pages are told of an event, and who may hear it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

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
    return topics_of([event], audiences_of([event]))[event.pk]


def audiences_of(events: Sequence[Event]) -> dict[UUID, set[UUID]]:
    """Event → organisations it serves."""
    known: dict[UUID, set[UUID]] = {event.pk: set() for event in events}
    rows = EventAudience.objects.filter(event_id__in=known)
    for event, organisation in rows.values_list("event_id", "organisation_id"):
        known[event].add(organisation)
    return known


def topics_of(events: Sequence[Event], served: Mapping[UUID, Iterable[UUID]]) -> dict[UUID, list[str]]:
    """Event → its topics, with one statement for all."""
    hidden = _too_old_for_some(events)
    found = {}
    for event in events:
        topics = [f"m:{event.camera.managing_organisation_id}", f"c:{event.camera_id}"]
        topics += [f"o:{organisation}" for organisation in served[event.pk]]
        if event.pk not in hidden:
            topics.append(f"s:{event.camera_id}:{event.event_type_id}")
        found[event.pk] = topics
    return found


def _too_old_for_some(events: Sequence[Event]) -> set[UUID]:
    """Events whose frame lies before the history of a valid grant: they do not exist for its holder."""
    moment = clock.now()
    rows = CameraAccess.objects.filter(
        camera_id__in={event.camera_id for event in events},
        action="subscribe",
        valid_from__lte=moment,
        valid_to__gt=moment,
        history_from__gt=min(event.time for event in events),
        grant__event_type_links__event_type_id__in={event.event_type_id for event in events},
    )
    limits = list(rows.values_list("camera_id", "grant__event_type_links__event_type_id", "history_from"))
    return {
        event.pk
        for event in events
        for camera, kind, history in limits
        if (camera, kind) == (event.camera_id, event.event_type_id) and history > event.time
    }
