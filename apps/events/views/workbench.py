"""The workbench: one key per verdict."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from apps.core.errors import Refusal
from apps.devices.models import Camera
from apps.events import services
from apps.events.choices import FalseAlarmReason
from apps.events.models import Event
from apps.events.selectors import (
    occurrence_link,
    picture_link,
    queue_types,
    regions_of,
    review_queue,
    reviewed_today,
)
from apps.events.services.review import UNDO
from apps.events.views.shared import refusal_body, visible_event

SKIPPED = "skipped"
FILMSTRIP = 8
KEYS = (
    ("A", _("Confirm")),
    ("X", _("False alarm")),
    ("S", _("Skip")),
    ("U", _("Unsure: to a second reviewer")),
    ("Z", _("Undo")),
    ("J / K", _("Next, previous")),
    ("Space", _("Zoom")),
    ("F", _("Fix the scene")),
)


@login_required
def workbench(request: HttpRequest) -> HttpResponse:
    """Queues by type on the left, the event in the middle, what is known of it on the right."""
    principal = request.principal  # type: ignore[attr-defined]
    principal.must("events.review")
    chosen = request.GET.get("type", "")
    queues = queue_types(principal)
    context = {
        "queues": queues,
        "chosen": chosen,
        "items": review_queue(principal, event_type=chosen),
        "done": reviewed_today(principal),
        "left": sum(queue.waiting for queue in queues),
        "more_url": f"{reverse('events:workbench-queue')}?{_type(chosen)}",
        "keyboard_help": KEYS,
    }
    return render(request, "events/workbench.html", context)


def _type(chosen: str) -> str:
    return urlencode({"type": chosen}) if chosen else ""


@login_required
def workbench_queue(request: HttpRequest) -> HttpResponse:
    """The next items of the queue as list elements, after `?after=<id>`."""
    principal = request.principal  # type: ignore[attr-defined]
    principal.must("events.review")
    items = review_queue(
        principal, event_type=request.GET.get("type", ""), after=_identifier(request.GET.get("after"))
    )
    return render(request, "events/workbench_items.html", {"items": items})


def _identifier(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


@login_required
def workbench_panel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Picture and facts of one event; fetched ahead of time, so it changes nothing."""
    principal = request.principal  # type: ignore[attr-defined]
    principal.must("events.review")
    event = visible_event(request, pk)
    watches = Camera.objects.filter(pk=event.camera_id).visible_to(principal, "live").exists()
    repeats = list(event.attached.order_by("-time")[:FILMSTRIP])
    for row in repeats:
        row.thumb = occurrence_link(principal, row)  # type: ignore[attr-defined]
    verdicts = (
        Event.objects.visible_to(principal)
        .filter(camera_id=event.camera_id, reviewed_at__isnull=False)
        .exclude(pk=event.pk)
    )
    context = {
        "event": event,
        "known": event.explanation,
        "picture_url": picture_link(principal, event),
        "picture_boxes": event.targets,
        "picture_regions": regions_of(event),
        "repeats": repeats,
        "last_verdicts": verdicts.select_related("event_type").order_by("-reviewed_at")[:5],
        "reasons": FalseAlarmReason.choices,
        "snapshot_url": _address("devices:camera-snapshot", event.camera_id) if watches else "",
        "fix_url": _fix_url(principal, event),
    }
    return render(request, "events/workbench_panel.html", context)


def _fix_url(principal: Any, event: Event) -> str:
    """The scene editor with the rule of this event's algorithm, for those who may draw."""
    if not principal.can("scenes.edit"):
        return ""
    address = reverse("analysis:scene-edit", args=[event.camera_id, event.preset])
    return f"{address}?{urlencode({'algorithm': event.algorithm_version.algorithm.slug})}"


def _address(name: str, identifier: UUID) -> str:
    try:
        return reverse(name, args=[identifier])
    except NoReverseMatch:
        return ""


@login_required
@require_POST
def event_decide(request: HttpRequest, pk: UUID) -> JsonResponse:
    """A verdict from the workbench; `skipped` only gives the event back."""
    principal = request.principal  # type: ignore[attr-defined]
    verdict = request.POST.get("verdict", "")
    answer: dict[str, Any] = {"seconds": UNDO.total_seconds()}
    try:
        if verdict == SKIPPED:
            services.unlock_event(principal=principal, event_id=visible_event(request, pk).pk)
        else:
            review = services.review_event(
                principal=principal,
                event_id=pk,
                verdict=verdict,
                reason=request.POST.get("reason", ""),
                note=request.POST.get("note", ""),
            )
            answer["undo_url"] = reverse("events:review-undo", args=[review.pk])
    except Refusal as refusal:
        return JsonResponse(refusal_body(refusal), status=refusal.status)
    left = sum(queue.waiting for queue in queue_types(principal))
    return JsonResponse({**answer, "done": reviewed_today(principal), "left": left})


@login_required
@require_POST
def event_lock(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Hold the event for two minutes: 204, or 409 naming who holds it."""
    try:
        services.lock_event(principal=request.principal, event_id=pk)  # type: ignore[attr-defined]
    except Refusal as refusal:
        return JsonResponse(refusal_body(refusal), status=refusal.status)
    return HttpResponse(status=204)


@login_required
@require_POST
def review_undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take a verdict back within ten seconds; a plain form returns to the event's page."""
    try:
        with transaction.atomic():
            event = services.undo_review(principal=request.principal, review_id=pk)  # type: ignore[attr-defined]
    except Refusal as refusal:
        return JsonResponse(refusal_body(refusal), status=refusal.status)
    if "text/html" in request.headers.get("Accept", ""):
        return HttpResponseRedirect(reverse("events:event-detail", args=[event.pk]))
    return JsonResponse({"event": str(event.pk), "state": event.review_state})
