"""What several pages of the room need."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from apps.events.choices import ReviewState
from apps.events.models import Event
from apps.events.selectors import picture_link
from apps.events.services.summary import event_summary

NOBODY = UUID(int=0)
ON_MAP = ("id", "code", "name_zh", "name_en", "camera_name", "lon", "lat")


def visible_event(request: HttpRequest, pk: UUID) -> Event:
    """The event, or 404 where this person may not see it."""
    return get_object_or_404(Event.objects.visible_to(request.principal).listed(), pk=pk)  # type: ignore[attr-defined]


def with_thumbs(request: HttpRequest, events: list[Event]) -> list[Event]:
    """The events, each with `thumb`, a link to its small picture or an empty text."""
    for event in events:
        event.thumb = picture_link(request.principal, event, "thumb")  # type: ignore[attr-defined]
    return events


def for_map(events: list[Event]) -> list[dict[str, Any]]:
    """What a map's markers need of events that were raised before the page was opened; false alarms have none."""
    return [
        {name: value for name, value in event_summary(event).items() if name in ON_MAP}
        for event in events
        if event.review_state != ReviewState.FALSE_ALARM
    ]


def address_pattern(name: str) -> str:
    """The address of a page of one event with `{id}` in place of its id, for scripts."""
    return reverse(name, args=[NOBODY]).replace(str(NOBODY), "{id}")


def refusal_body(refusal: Any) -> dict[str, Any]:
    """A refusal as JSON for scripts."""
    return {"code": refusal.code, "detail": str(refusal.message)}
