"""The event library: a list with its filters in the URL, and its export."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.services.exports import export_mark, note_export
from apps.core import audit, spreadsheets
from apps.core.pages import Column, KeysetPage, VisibleListView
from apps.devices.services.purpose import purpose_in
from apps.devices.views.purpose import purpose_url
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
    """The filtered list as CSV (UTF-8 with BOM), at most 100,000 rows.

    It asks for a purpose once per session, counts against the person's quota, is an audit record, and every row
    carries who took it.
    """
    principal = request.principal  # type: ignore[attr-defined]
    purpose = purpose_in(request.session)
    if not purpose:
        return redirect(purpose_url(request.get_full_path()))
    found = EventFilter(request.GET, queryset=Event.objects.visible_to(principal).listed())
    rows = found.qs if found.is_valid() else Event.objects.none()
    count = rows.order_by()[:EXPORT_LIMIT].count()
    filters = request.GET.urlencode()[:500]
    note_export(by=principal, kind="event", rows=count, title="events.csv", filters=filters, **purpose)
    for owner in _other_owners(principal, rows):
        audit.note(principal, "event.export", owner_id=owner, name="events.csv", filters=filters, **purpose)
    chunks = _csv_chunks(rows, export_mark(principal))
    body = _asynchronous(chunks) if isinstance(request, ASGIRequest) else chunks
    response = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="events-{timezone.localdate():%Y%m%d}.csv"'
    return response


def _other_owners(principal: Any, rows: QuerySet[Event]) -> list[Any]:
    """Other organisations whose events are in it: their ledgers show the export too."""
    owners = rows.order_by().values_list("camera__managing_organisation", flat=True).distinct()
    return [owner for owner in owners[:200] if owner != principal.organisation_id]


async def _asynchronous(chunks: Iterator[str]) -> AsyncIterator[str]:
    """The same chunks, each fetched in a thread, so that the server's loop is not held up."""
    while True:
        chunk = await sync_to_async(next)(chunks, None)
        if chunk is None:
            return
        yield chunk


def _csv_chunks(rows: QuerySet[Event], mark: str) -> Iterator[str]:
    """Header, then pages by key, so that no cursor stays open between two chunks."""
    yield "\ufeff" + spreadsheets.lines([HEADER])
    last, left = None, EXPORT_LIMIT
    while left > 0:
        page = rows.filter(pk__lt=last) if last else rows
        found = list(page.order_by("-pk")[: min(CHUNK, left)])
        if not found:
            return
        yield spreadsheets.lines([*_cells(event), mark] for event in found)
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
    "exported_by",
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
