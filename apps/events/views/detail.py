"""One event: the whole decision on one page."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.analysis.models import AnalysisTask, Execution, SceneRule
from apps.analysis.selectors import look_every
from apps.core import clock
from apps.devices.models import Capture
from apps.devices.services.purpose import is_old, purpose_in
from apps.devices.views import map_settings, purpose_url
from apps.events import services
from apps.events.choices import FalseAlarmReason, ReviewState
from apps.events.models import Event
from apps.events.selectors import is_work, occurrence_link, picture_link, regions_of
from apps.events.services.review import OPEN_STATES, UNDO
from apps.events.views.shared import visible_event, with_thumbs

FILMSTRIP = 24
SIMILAR = 6


@login_required
def event_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Capture → algorithm → scene rule → strategy → event → reviews → deliveries → the requisition behind it."""
    event = visible_event(request, pk)
    principal = request.principal  # type: ignore[attr-defined]
    known = event.explanation
    tasks = AnalysisTask.objects.visible_to(principal).filter(pk__in=known.get("tasks", []))
    similar = (
        Event.objects.visible_to(principal)
        .filter(camera=event.camera, event_type=event.event_type)
        .exclude(pk=event.pk)
    )
    execution = Execution.objects.filter(pk=known.get("execution")).select_related("package").first()
    context = {
        **map_settings(),
        "event": event,
        "known": known,
        "can_trace": principal.can("operations.view"),
        "picture_url": picture_link(principal, event),
        "picture_boxes": event.targets,
        "picture_regions": regions_of(event),
        "crop_url": picture_link(principal, event, "crop") if event.targets else "",
        "is_picture_gone": _is_picture_gone(event),
        "purpose_url": purpose_url(request.get_full_path()) if _needs_purpose(request, event) else "",
        "rule": SceneRule.objects.filter(pk=known.get("rule")).select_related("owner").first()
        if known.get("rule")
        else None,
        "execution": execution,
        "look_every": look_every(execution.spec) if execution else 0,
        "tasks": tasks,
        "reviews": _reviews(request, event),
        "can_review": principal.can("events.review") and event.review_state in OPEN_STATES,
        "reasons": FalseAlarmReason.choices,
        "repeats": _repeats(request, event),
        "similar": with_thumbs(request, list(similar.listed().order_by("-time")[:SIMILAR])),
        "is_late": event.review_state == ReviewState.PENDING and event.expires_at < clock.now(),
        "map_centre": f"{event.camera.latitude},{event.camera.longitude}"
        if event.camera.latitude is not None
        else None,
    }
    return render(request, "events/event_detail.html", context)


def _needs_purpose(request: HttpRequest, event: Event) -> bool:
    """The picture is old, no purpose was given in this session, and judging it is not what the viewer is here for."""
    principal = request.principal  # type: ignore[attr-defined]
    return is_old(event.time) and not purpose_in(request.session) and not is_work(principal, event)


def _is_picture_gone(event: Event) -> bool:
    if event.capture_id is None:
        return True
    return not Capture.objects.filter(pk=event.capture_id, deleted_at__isnull=True).exists()


def _reviews(request: HttpRequest, event: Event) -> list[object]:
    rows = list(event.reviews.order_by("-created_at"))
    moment = clock.now()
    me = request.principal.id  # type: ignore[attr-defined]
    for row in rows:
        fresh = row.told_at is None and row.undone_at is None and moment <= row.created_at + UNDO
        row.can_undo = fresh and row.reviewer_id == me  # type: ignore[attr-defined]
    return list(rows)


def _repeats(request: HttpRequest, event: Event) -> list[object]:
    rows = list(event.attached.order_by("-time")[:FILMSTRIP])
    for row in rows:
        row.thumb = occurrence_link(request.principal, row)  # type: ignore[attr-defined]
    return list(rows)


@login_required
@require_POST
def event_review(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A verdict from the event's own page, without a script."""
    services.review_event(
        principal=request.principal,  # type: ignore[attr-defined]
        event_id=pk,
        verdict=request.POST.get("verdict", ""),
        reason=request.POST.get("reason", ""),
        note=request.POST.get("note", ""),
    )
    return HttpResponseRedirect(reverse("events:event-detail", args=[pk]))
