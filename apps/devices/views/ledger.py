"""Who looked at our cameras, and what of it was odd."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.services.exports import note_export
from apps.core import spreadsheets
from apps.core.models import AuditRecord
from apps.core.pages import Column, KeysetPage, VisibleListView, chips
from apps.devices.choices import LOOK_WORDS, Purpose
from apps.devices.forms import LedgerForm
from apps.devices.models import OddLooking
from apps.devices.services.looking import camera_names, camera_of, ledger_rows, narrowed, note_odd_looking

PAGE = 100
EXPORT_LIMIT = 100_000
CHUNK = 1000
HEADER = [
    "number", "time", "who", "organisation", "how", "camera_id", "camera", "outcome", "purpose", "case", "words",
    "unmasked", "address", "pictures", "since",
]  # fmt: skip


def purpose_words(detail: dict[str, Any]) -> str:
    """Why, in the reader's language: the purpose of the session, or of the grant."""
    code = detail.get("purpose", "")
    if code == "review":
        return _("Review of an event")
    word = str(Purpose(code).label) if code in Purpose.values else str(detail.get("grant_purpose", ""))
    return " · ".join(filter(None, [word, str(detail.get("case", "")), str(detail.get("words", ""))]))


def _since(record: AuditRecord) -> datetime | None:
    """When the session began that this record closes; None for a single look."""
    return parse_datetime(str(record.detail["since"])) if record.detail.get("pictures") else None


def _found(request: HttpRequest) -> tuple[LedgerForm, QuerySet[AuditRecord]]:
    form = LedgerForm(request.GET)
    rows = ledger_rows(request.principal).order_by("-seq")
    return form, narrowed(rows, form.cleaned_data) if form.is_valid() else rows.none()


@login_required
@require_GET
def ledger(request: HttpRequest) -> HttpResponse:
    """The looks at our cameras, newest first; pages by number."""
    principal = request.principal
    if not (principal.can("ledger.view") or principal.can("audit.view")):
        raise Http404
    form, rows = _found(request)
    before = request.GET.get("before", "")
    if before.isdigit():
        rows = rows.filter(seq__lt=int(before))
    found = list(rows[: PAGE + 1])
    shown, names = found[:PAGE], camera_names(found)
    for record in shown:
        record.camera_id = camera_of(record)  # type: ignore[attr-defined]
        record.camera_name = names.get(camera_of(record), record.object_name)  # type: ignore[attr-defined]
        record.word = LOOK_WORDS[record.action]  # type: ignore[attr-defined]
        record.why = purpose_words(record.detail)  # type: ignore[attr-defined]
        record.since = _since(record)  # type: ignore[attr-defined]
    context = {
        "title": _("Ledger of looks"),
        "filters": form,
        "chips": chips(request, form) if form.is_valid() else [],
        "records": shown,
        "next_before": shown[-1].seq if len(found) > PAGE else None,
        "export_url": reverse("devices:ledger-export"),
        "shows_cameras": not principal.is_separated,
        "odd_url": reverse("devices:odd-list") if principal.can("audit.view") else "",
    }
    template = "devices/ledger_table.html" if request.htmx else "devices/ledger.html"
    return render(request, template, context)


@login_required
@require_GET
def ledger_export(request: HttpRequest) -> HttpResponseBase:
    """The filtered ledger as CSV, at most 100,000 rows; itself in the audit."""
    principal = request.principal
    if not (principal.can("ledger.view") or principal.can("audit.view")):
        raise Http404
    _form, rows = _found(request)
    count = rows.order_by()[:EXPORT_LIMIT].count()
    filters = request.GET.urlencode()[:500]
    note_export(by=principal, kind="ledger", rows=count, title="ledger.csv", filters=filters)
    chunks = _chunks(rows)
    body = _asynchronous(chunks) if isinstance(request, ASGIRequest) else chunks
    response = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="ledger-{timezone.localdate():%Y%m%d}.csv"'
    return response


async def _asynchronous(chunks: Iterator[str]) -> AsyncIterator[str]:
    while (chunk := await sync_to_async(next)(chunks, None)) is not None:
        yield chunk


def _chunks(rows: QuerySet[AuditRecord]) -> Iterator[str]:
    yield "\ufeff" + spreadsheets.lines([HEADER])
    last: int | None = None
    for _round in range(EXPORT_LIMIT // CHUNK):
        found = list((rows.filter(seq__lt=last) if last else rows)[:CHUNK])
        if not found:
            return
        names = camera_names(found)
        yield spreadsheets.lines(_cells(record, names) for record in found)
        last = found[-1].seq


def _cells(record: AuditRecord, names: dict[str, str]) -> list[Any]:
    camera, detail = camera_of(record), record.detail
    return [
        record.seq,
        record.at.isoformat(),
        record.actor_name,
        record.organisation_name,
        record.action,
        camera,
        names.get(camera, ""),
        record.outcome,
        detail.get("purpose") or detail.get("grant_purpose", ""),
        detail.get("case", ""),
        detail.get("words", ""),
        bool(detail.get("unmasked")),
        record.address,
        detail.get("pictures", 1),
        detail.get("since", ""),
    ]


class OddListView(VisibleListView):
    """What the watcher found odd, for audit administrators."""

    model = OddLooking
    title = gettext_lazy("Odd looking")
    row_template = "devices/odd_row.html"
    columns = (
        Column("day", gettext_lazy("Day")),
        Column("kind", gettext_lazy("What")),
        Column("who", gettext_lazy("Who")),
        Column("camera", gettext_lazy("Camera")),
        Column("looks", gettext_lazy("Looks"), numeric=True),
        Column("times", gettext_lazy("First and last")),
        Column("note", gettext_lazy("Note")),
    )

    def get(self, request: HttpRequest) -> HttpResponse:
        """A foreign role does not learn that the page exists."""
        if not request.principal.can("audit.view"):
            raise Http404
        return super().get(request)

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """What counts as odd."""
        return {
            "intro": _(
                "People who looked at one camera again and again, at night, or at very many cameras or pictures "
                "in a day. A look is ten minutes of one camera. A finding is no verdict: say what came of it."
            ),
            "hide_columns": True,
            "empty_icon": "eye-check",
            "empty_title": _("Nothing odd was found"),
            "empty_text": _("The audit is looked through every hour."),
            "empty_url": reverse("devices:ledger"),
            "empty_action": _("Ledger of looks"),
        }


odd_list = OddListView.as_view()


@login_required
@require_POST
def odd_note(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Seen, and what came of it."""
    if not request.principal.can("audit.view"):
        raise Http404
    row = get_object_or_404(OddLooking.objects.visible_to(request.principal), pk=pk)
    note_odd_looking(by=request.principal, row=row, note=request.POST.get("note", ""))
    return HttpResponseRedirect(reverse("devices:odd-list"))
