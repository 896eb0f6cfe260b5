"""Live: map and stream side by side."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from apps.algorithms.choices import Level
from apps.algorithms.models import EventType
from apps.devices.models import Camera
from apps.devices.views import map_settings
from apps.events.models import Event
from apps.events.views.shared import address_pattern, for_map, visible_event, with_thumbs

FIRST_LOAD = 50
ON_CAMERA_PAGE = 12


@login_required
def live(request: HttpRequest) -> HttpResponse:
    """Page state = first load + pushes: the newest events, then what the socket brings."""
    chosen = _chosen(request)
    rows = Event.objects.visible_to(request.principal).listed()  # type: ignore[attr-defined]
    if chosen["level"]:
        rows = rows.filter(level__in=chosen["level"])
    if chosen["code"]:
        rows = rows.filter(event_type__code__in=chosen["code"])
    events = list(rows.order_by("-pk")[:FIRST_LOAD])
    context = {
        **map_settings(),
        "events": with_thumbs(request, events),
        "map_events": for_map(events),
        "levels": Level.choices,
        "types": EventType.objects.visible_to(request.principal).order_by("code"),  # type: ignore[attr-defined]
        "chosen": chosen,
        "stream_filter": {name: values for name, values in chosen.items() if values},
        "row_url": address_pattern("events:event-row"),
        "map_live_link": address_pattern("events:event-detail"),
    }
    return render(request, "events/live.html", context)


def _chosen(request: HttpRequest) -> dict[str, list[str]]:
    """Filters of the URL: without one everything is shown."""
    return {
        "level": [value for value in request.GET.getlist("level") if value in Level.values],
        "code": [value for value in request.GET.getlist("type") if value],
    }


@login_required
def event_row(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One row of the stream, for an event that was just pushed."""
    event = visible_event(request, pk)
    return render(request, "events/stream_row.html", {"event": with_thumbs(request, [event])[0]})


@login_required
def camera_events(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The last events of a camera as pictures, a part of its page."""
    camera = get_object_or_404(Camera.objects.visible_to(request.principal), pk=pk)  # type: ignore[attr-defined]
    rows: Any = Event.objects.visible_to(request.principal).filter(camera=camera)  # type: ignore[attr-defined]
    events = list(rows.listed().order_by("-time")[:ON_CAMERA_PAGE])
    return render(
        request, "events/camera_events.html", {"camera": camera, "events": with_thumbs(request, events)}
    )
