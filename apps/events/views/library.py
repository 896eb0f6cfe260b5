"""The event library: a list with its filters in the URL, and its export."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import audit
from apps.core.pages import Column, KeysetPage, VisibleListView
from apps.events.filters import EventFilter
from apps.events.models import Event
from apps.events.views.shared import with_thumbs

EXPORT_LIMIT = 100_000
CHUNK = 500


class EventListView(VisibleListView):
    """All events the person may see, newest first."""

    model = Event
    title = gettext_lazy("Event library")
    filterset_class = EventFilter
    row_template = "events/event_row.html"
    columns = (
        Column("picture", gettext_lazy("Picture")),
        Column("type", gettext_lazy("Event type")),
        Column("level", gettext_lazy("Level")),
        Column("camera", gettext_lazy("Camera")),
        Column("address", gettext_lazy("Address")),
        Column("organisation", gettext_lazy("Managed by"), hidden=True),
        Column("time", gettext_lazy("Time")),
        Column("occurrences", gettext_lazy("Times seen"), numeric=True),
        Column("score", gettext_lazy("Confidence"), numeric=True),
        Column("algorithm", gettext_lazy("Algorithm"), hidden=True),
        Column("state", gettext_lazy("Review")),
    )

    def rows(self) -> QuerySet[Event]:
        """With what a row shows."""
        rows: QuerySet[Event] = super().rows().listed()  # type: ignore[attr-defined]
        return rows

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Thumbnails, export, and the next step where there is nothing."""
        with_thumbs(self.request, page.rows)
        return {
            "export_url": reverse("events:event-export"),
            "empty_icon": "bell-off",
            "empty_title": _("No events yet"),
            "empty_text": _(
                "An event appears when an analysis finds something and a strategy lets it through. "
                "The traces say what was stopped and why."
            ),
            "empty_url": reverse("analysis:task-list") if _has("analysis:task-list") else "",
            "empty_action": _("Tasks"),
        }


def _has(name: str) -> bool:
    from django.urls import NoReverseMatch

    try:
        reverse(name)
    except NoReverseMatch:
        return False
    return True


@login_required
def event_export(request: HttpRequest) -> HttpResponseBase:
    """The filtered list as CSV (UTF-8 with BOM), at most 100,000 rows; the export is an audit record."""
    principal = request.principal  # type: ignore[attr-defined]
    found = EventFilter(request.GET, queryset=Event.objects.visible_to(principal).listed())
    rows = found.qs if found.is_valid() else Event.objects.none()
    audit.record(
        principal,
        "event.export",
        owner_id=principal.organisation_id,
        name="events.csv",
        filters=request.GET.urlencode(),
    )
    chunks = _csv_chunks(rows)
    body = _asynchronous(chunks) if isinstance(request, ASGIRequest) else chunks
    response = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="events-{timezone.localdate():%Y%m%d}.csv"'
    return response


async def _asynchronous(chunks: Iterator[str]) -> AsyncIterator[str]:
    """The same chunks, each fetched in a thread, so that the server's loop is not held up."""
    while True:
        chunk = await sync_to_async(next)(chunks, None)
        if chunk is None:
            return
        yield chunk


def _csv_chunks(rows: QuerySet[Event]) -> Iterator[str]:
    """Header, then pages by key, so that no cursor stays open between two chunks."""
    yield "\ufeff" + _lines([HEADER])
    last, left = None, EXPORT_LIMIT
    while left > 0:
        page = rows.filter(pk__lt=last) if last else rows
        found = list(page.order_by("-pk")[: min(CHUNK, left)])
        if not found:
            return
        yield _lines([[_harmless(cell) for cell in _cells(event)] for event in found])
        last, left = found[-1].pk, left - len(found)


HEADER = [
    "id",
    "code",
    "name",
    "level",
    "camera_id",
    "camera",
    "organisation",
    "address",
    "longitude",
    "latitude",
    "first_seen",
    "last_seen",
    "ended_at",
    "occurrences",
    "score",
    "algorithm",
    "review",
    "handling",
]


def _cells(event: Event) -> list[Any]:
    camera, version = event.camera, event.algorithm_version
    return [
        event.pk,
        event.event_type.code,
        event.event_type.name,
        event.level,
        camera.pk,
        camera.name,
        camera.managing_organisation.name,
        event.address,
        camera.longitude,
        camera.latitude,
        event.first_seen.isoformat(),
        event.last_seen.isoformat(),
        event.ended_at.isoformat() if event.ended_at else "",
        event.occurrences,
        round(event.score, 4),
        f"{version.algorithm.slug} {version.version}",
        event.review_state,
        event.handling,
    ]


def _harmless(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe (OWASP: CSV injection)."""
    if isinstance(cell, str) and cell.lstrip()[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{cell}"
    return cell


def _lines(rows: list[list[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
