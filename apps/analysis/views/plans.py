"""Plans: list, add, edit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.analysis import services
from apps.analysis.filters import PlanFilter
from apps.analysis.forms import PlanForm
from apps.analysis.models import Plan
from apps.core.errors import Refusal
from apps.core.pages import Column, KeysetPage, VisibleListView


class PlanListView(VisibleListView):
    """Plans of one's organisation, and those shared with everybody."""

    model = Plan
    title = gettext_lazy("Plans")
    filterset_class = PlanFilter
    row_template = "analysis/plan_row.html"
    columns = (
        Column("name", gettext_lazy("Name")),
        Column("kind", gettext_lazy("Kind")),
        Column("periods", gettext_lazy("Periods")),
        Column("organisation", gettext_lazy("Organisation")),
        Column("shared", gettext_lazy("Shared")),
    )

    def rows(self) -> QuerySet[Plan]:
        """With what a row shows."""
        return super().rows().select_related("organisation")

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Adding is offered to those who may."""
        return {
            **self.adding("tasks.manage", "analysis:plan-add", _("New plan")),
            "empty_icon": "calendar-time",
            "empty_title": _("No plans yet"),
            "empty_text": _("A plan says on which days and at which times cameras are looked at."),
        }


@login_required
def plan_edit(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    """A new plan, or another content for one."""
    request.principal.must("tasks.manage")
    plan = None
    if pk is not None:
        plan = get_object_or_404(Plan.objects.all().visible_to(request.principal, "change"), pk=pk)
    form = PlanForm(request.POST or None, plan=plan)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            services.save_plan(
                by=request.principal,
                plan=plan,
                name=values["name"],
                kind=values["kind"],
                periods=form.periods,
                is_shared=values["is_shared"],
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal.message))
        else:
            messages.success(request, _("The plan was saved."))
            return redirect("analysis:plan-list")
    context = {
        "form": form,
        "fieldsets": form.sets,
        "title": plan.name if plan is not None else _("New plan"),
        "cancel_url": reverse("analysis:plan-list"),
    }
    return render(request, "generic/form.html", context)
