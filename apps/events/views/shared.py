"""What several pages of the room need."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from apps.events.models import Event
from apps.events.selectors import picture_link

NOBODY = UUID(int=0)


def visible_event(request: HttpRequest, pk: UUID) -> Event:
    """The event, or 404 where this person may not see it."""
    return get_object_or_404(Event.objects.visible_to(request.principal).listed(), pk=pk)  # type: ignore[attr-defined]


def with_thumbs(request: HttpRequest, events: list[Event]) -> list[Event]:
    """The events, each with `thumb`, a link to its small picture or an empty text."""
    for event in events:
        event.thumb = picture_link(request.principal, event, "thumb")  # type: ignore[attr-defined]
    return events


def address_pattern(name: str) -> str:
    """The address of a page of one event with `{id}` in place of its id, for scripts."""
    return reverse(name, args=[NOBODY]).replace(str(NOBODY), "{id}")


def refusal_body(refusal: Any) -> dict[str, Any]:
    """A refusal as JSON for scripts."""
    return {"code": refusal.code, "detail": str(refusal.message)}
