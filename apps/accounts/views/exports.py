"""Asking for more than the quota of exports, and deciding about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.accounts import services
from apps.accounts.forms import ExportRequisitionForm
from apps.accounts.models import ExportRequisition
from apps.accounts.services.export_requisitions import ABILITY
from apps.accounts.services.exports import rows_left
from apps.core.errors import Refusal
from apps.core.pages import Column, KeysetPage, VisibleListView


class ExportRequisitionListView(VisibleListView):
    """One's own requests, and those that wait for one's decision."""

    model = ExportRequisition
    title = gettext_lazy("Exports beyond the quota")
    row_template = "accounts/export_requisition_row.html"
    columns = (
        Column("asked", gettext_lazy("Asked")),
        Column("who", gettext_lazy("Who")),
        Column("rows", gettext_lazy("Rows"), numeric=True),
        Column("reason", gettext_lazy("Reason")),
        Column("state", gettext_lazy("State")),
        Column("decision", gettext_lazy("Decision")),
    )

    def rows(self) -> QuerySet[ExportRequisition]:
        """With who asked."""
        return super().rows().select_related("user__organisation")

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """What is left today, and who may do what."""
        principal: Any = self.request.principal  # type: ignore[attr-defined]
        for row in page.rows:
            row.is_own = row.user_id == principal.id
            row.may_decide = not row.is_own and row.state == "submitted" and principal.can(ABILITY)
        return {
            "intro": _(
                "You may still take out %(left)d rows today. More is approved by somebody else, counts once and for "
                "seven days, and is in the audit."
            )
            % {"left": rows_left(principal)},
            "add_url": reverse("accounts:requisition-add"),
            "add_label": _("Ask for more"),
            "hide_columns": True,
            "empty_icon": "download",
            "empty_title": _("Nobody asked for more"),
            "empty_text": _("Ask when an export has more rows than are left of today's quota."),
        }


requisition_list = ExportRequisitionListView.as_view()


@login_required
def requisition_add(request: HttpRequest) -> HttpResponse:
    """Ask."""
    form = ExportRequisitionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.request_export(by=request.principal, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(next(iter(refusal.fields), None), str(refusal.message))
        else:
            return redirect("accounts:requisition-list")
    context = {
        "form": form,
        "title": _("Ask for more exports"),
        "submit_label": _("Ask"),
        "cancel_url": reverse("accounts:requisition-list"),
    }
    return render(request, "generic/form.html", context)


def _row(request: HttpRequest, pk: UUID) -> ExportRequisition:
    return get_object_or_404(ExportRequisition.objects.visible_to(request.principal), pk=pk)


@login_required
@require_POST
def requisition_decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Approve (`verdict=approve`) or reject, with an opinion."""
    services.decide_export(
        by=request.principal,
        requisition=_row(request, pk),
        approve=request.POST.get("verdict") == "approve",
        opinion=request.POST.get("opinion", "")[:300],
    )
    return redirect("accounts:requisition-list")


@login_required
@require_POST
def requisition_withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take one's own request back."""
    services.withdraw_export(by=request.principal, requisition=_row(request, pk))
    return redirect("accounts:requisition-list")
