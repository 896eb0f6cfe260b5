"""Capture results, and the fragments of the camera page: coverage strip, tasks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.analysis import selectors
from apps.analysis.choices import Outcome
from apps.analysis.filters import SlotFilter
from apps.analysis.models import CaptureSlot, Execution
from apps.analysis.selectors.plans import SHANGHAI
from apps.core import clock
from apps.core.ids import id_floor
from apps.core.pages import Column, KeysetPage, VisibleListView
from apps.devices.models import Camera
from apps.devices.services import media_url


class SlotListView(VisibleListView):
    """Planned captures with what came of them; the last two days unless a time is given."""

    model = CaptureSlot
    action = "capture"
    title = gettext_lazy("Capture results")
    filterset_class = SlotFilter
    row_template = "analysis/slot_row.html"
    columns = (
        Column("planned", gettext_lazy("Planned")),
        Column("camera", gettext_lazy("Camera")),
        Column("state", gettext_lazy("State")),
        Column("results", gettext_lazy("Results")),
        Column("reason", gettext_lazy("Reason")),
        Column("captured", gettext_lazy("Captured"), hidden=True),
        Column("attempts", gettext_lazy("Attempts"), hidden=True, numeric=True),
        Column("picture", gettext_lazy("Picture")),
    )

    def rows(self) -> QuerySet[CaptureSlot]:
        """Only what is due; partitions outside the window are not read."""
        moment = clock.now()
        rows = super().rows().select_related("camera").filter(pk__lt=id_floor(moment))
        if not self.request.GET.get("since"):
            rows = rows.filter(pk__gte=id_floor(moment - timedelta(days=2)))
        return rows

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Results are shown for the reader's executions only."""
        principal = self.request.principal  # type: ignore[attr-defined]
        wanted = {execution for row in page.rows for execution in row.executions}
        own = set(
            Execution.objects.all().visible_to(principal).filter(pk__in=wanted).values_list("pk", flat=True)
        )
        for row in page.rows:
            row.shown = [
                {
                    "outcome": result["outcome"],
                    "label": Outcome(result["outcome"]).label,
                    "words": selectors.reason_words(result["reason"]),
                }
                for key, result in row.results.items()
                if UUID(key) in own
            ]
            row.reason_words = selectors.reason_words(row.reason) or next(
                (result["words"] for result in row.shown if result["words"]), ""
            )
            row.picture = (
                media_url("capture", row.capture_id, principal, variant="thumb") if row.capture_id else ""
            )
        return {
            "can_trace": principal.can("operations.view"),
            "intro": _(
                "Each planned capture of the last two days: was the camera looked at, and what was found?"
            ),
            "empty_icon": "camera-off",
            "empty_title": _("Nothing was planned in the last two days"),
            "empty_text": _("Captures are planned by running tasks with snapshots."),
        }


def _camera(request: HttpRequest, pk: UUID) -> Camera:
    return get_object_or_404(Camera.objects.all().visible_to(request.principal), pk=pk)


@login_required
def camera_coverage(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The strip of one day for the camera page."""
    camera = _camera(request, pk)
    today = clock.now().astimezone(SHANGHAI).date()
    try:
        day = min(today, date.fromisoformat(request.GET.get("day", "")))
    except ValueError:
        day = today
    cells = selectors.coverage(camera, day, request.principal)
    context = {
        "camera": camera,
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1) if day < today else None,
        "cells": cells,
        "totals": selectors.totals(cells),
    }
    return render(request, "analysis/coverage.html", context)


@login_required
def camera_tasks(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Tasks that look at the camera, with the last result each."""
    camera = _camera(request, pk)
    lines = selectors.tasks_of_camera(camera, request.principal)
    can_add = request.principal.can("tasks.manage") and (
        Camera.objects.all().visible_to(request.principal, "analyse").filter(pk=pk).exists()
    )
    return render(
        request, "analysis/camera_tasks.html", {"camera": camera, "lines": lines, "can_add": can_add}
    )
