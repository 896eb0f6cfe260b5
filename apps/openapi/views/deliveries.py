"""The delivery log."""

from __future__ import annotations

import functools
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.core.errors import Refusal
from apps.core.pages import Column, KeysetPage, VisibleListView
from apps.events.models import Event
from apps.openapi import services
from apps.openapi.choices import AttemptError, EndpointState
from apps.openapi.filters import DELIVERY_KINDS, DeliveryPageFilter
from apps.openapi.models import Delivery
from apps.openapi.views.common import visible_or_404


class DeliveryListView(VisibleListView):
    """What was sent where, and what came of it."""

    model = Delivery
    title = gettext_lazy("Deliveries")
    row_template = "openapi/delivery_row.html"
    columns = (
        Column("created", gettext_lazy("Queued")),
        Column("subscription", gettext_lazy("Subscription")),
        Column("kind", gettext_lazy("Kind")),
        Column("event", gettext_lazy("Event")),
        Column("state", gettext_lazy("State")),
        Column("attempts", gettext_lazy("Attempts"), numeric=True),
        Column("answer", gettext_lazy("Last answer")),
        Column("due", gettext_lazy("Next attempt")),
        Column("message", gettext_lazy("Message id"), hidden=True),
    )

    def get(self, request: HttpRequest) -> HttpResponse:
        """The filter offers the subscriptions this person sees."""
        self.filterset_class = functools.partial(DeliveryPageFilter, principal=request.principal)  # type: ignore[misc, attr-defined]
        return super().get(request)

    def rows(self) -> QuerySet[Any]:
        """With what a row shows."""
        return super().rows().select_related("subscription__app")

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Resending is offered to those who may."""
        for row in page.rows:
            row.words = words(row)
        can = self.request.principal.can("apps.manage")  # type: ignore[attr-defined]
        resend = {
            "label": _("Send again"),
            "icon": "refresh",
            "preview_url": reverse("openapi:delivery-resend-preview"),
        }
        return {
            "bulk_actions": [resend] if can else [],
            "empty_icon": "send",
            "empty_title": _("Nothing was sent yet"),
            "empty_text": _("Messages appear here as soon as an event fits a subscription."),
            "empty_url": reverse("openapi:subscription-list"),
            "empty_action": _("Subscriptions"),
        }


def words(row: Delivery) -> dict[str, str]:
    """Kind and last error in the reader's language."""
    kinds, errors = dict(DELIVERY_KINDS), dict(AttemptError.choices)
    return {
        "kind": str(kinds.get(row.kind, row.kind)),
        "error": str(errors.get(row.last_error, row.last_error)),
    }


@login_required
def delivery_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One message with every try."""
    row = _row(request, pk)
    errors = dict(AttemptError.choices)
    tries = list(row.tries.order_by("-at"))
    for one in tries:
        one.words = errors.get(one.error, one.error)
    context = {
        "delivery": row,
        "words": words(row),
        "tries": tries,
        "event": Event.objects.visible_to(request.principal).filter(pk=row.event_id).first(),  # type: ignore[attr-defined]
        "can_manage": request.principal.can("apps.manage"),  # type: ignore[attr-defined]
    }
    return render(request, "openapi/delivery_detail.html", context)


@login_required
@require_POST
def delivery_resend(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Queue it again."""
    services.resend_delivery(by=request.principal, delivery=_row(request, pk))  # type: ignore[attr-defined]
    messages.success(request, _("The message was queued again, with the same id."))
    return redirect("openapi:delivery-detail", pk)


@login_required
@require_POST
def resend_preview(request: HttpRequest) -> HttpResponse:
    """Which of the selected ones will be sent again."""
    will, will_not = [], []
    for row in _selected(request):
        row_words = {"object": row, "reason": f"{row.subscription} · {words(row)['kind']}"}
        if row.subscription.state == EndpointState.DISABLED:
            will_not.append({**row_words, "reason": _("its endpoint is disabled")})
        else:
            will.append(row_words)
    action = {"label": _("Send again"), "url": reverse("openapi:delivery-resend-chosen")}
    context = {"action": action, "will": will, "will_not": will_not}
    return render(request, "generic/bulk_preview.html", context)


@login_required
@require_POST
def resend_chosen(request: HttpRequest) -> HttpResponse:
    """Queue the selected ones again; what refuses is counted."""
    done = refused = 0
    for row in _selected(request):
        try:
            services.resend_delivery(by=request.principal, delivery=row)  # type: ignore[attr-defined]
            done += 1
        except Refusal:
            refused += 1
    messages.success(
        request, _("%(done)d queued again, %(refused)d refused.") % {"done": done, "refused": refused}
    )
    return redirect("openapi:delivery-list")


@login_required
def event_deliveries(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Fragment of the event page: what was sent of this event, as far as the person may see it."""
    if not Event.objects.visible_to(request.principal).filter(pk=pk).exists():  # type: ignore[attr-defined]
        raise Http404
    rows = (
        Delivery.objects.visible_to(request.principal)  # type: ignore[attr-defined]
        .filter(event_id=pk)
        .select_related("subscription")
        .order_by("-created_at")[:50]
    )
    for row in rows:
        row.words = words(row)
    return render(request, "openapi/event_deliveries.html", {"rows": rows, "event_id": pk})


def _row(request: HttpRequest, pk: UUID) -> Delivery:
    found: Delivery = visible_or_404(Delivery.objects.select_related("subscription__app"), request, pk)
    return found


def _selected(request: HttpRequest) -> list[Delivery]:
    identifiers = []
    for text in request.POST.getlist("selected")[:200]:
        try:
            identifiers.append(UUID(text))
        except ValueError:
            continue
    rows = Delivery.objects.visible_to(request.principal).filter(pk__in=identifiers)  # type: ignore[attr-defined]
    return list(rows.select_related("subscription__app").order_by("-pk"))
