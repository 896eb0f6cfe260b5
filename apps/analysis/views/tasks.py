"""Tasks: list, detail, new, submit, stop."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.analysis import selectors, services
from apps.analysis.choices import TASK_MOVES, TaskState
from apps.analysis.filters import TaskFilter
from apps.analysis.forms import TaskForm
from apps.analysis.models import AnalysisTask, AnalysisUnit
from apps.core.errors import Refusal
from apps.core.pages import Column, KeysetPage, VisibleListView, keyset_page


class TaskListView(VisibleListView):
    """All tasks the reader may see."""

    model = AnalysisTask
    title = gettext_lazy("Tasks")
    filterset_class = TaskFilter
    row_template = "analysis/task_row.html"
    columns = (
        Column("name", gettext_lazy("Name")),
        Column("state", gettext_lazy("State")),
        Column("organisation", gettext_lazy("For")),
        Column("sampling", gettext_lazy("Sampling")),
        Column("plan", gettext_lazy("Time plan")),
        Column("units", gettext_lazy("Units"), numeric=True),
        Column("until", gettext_lazy("Until"), hidden=True),
        Column("created", gettext_lazy("Created")),
    )

    def rows(self) -> QuerySet[AnalysisTask]:
        """With what a row shows."""
        return super().rows().select_related("organisation", "plan").annotate(unit_count=Count("units"))

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Adding is offered to those who may."""
        return {
            **self.adding("tasks.manage", "analysis:task-add", _("New task")),
            "empty_icon": "scan-eye",
            "empty_title": _("No analysis tasks yet"),
            "empty_text": _("A task says which algorithms look at which cameras, and when."),
        }


def _task(request: HttpRequest, pk: UUID) -> AnalysisTask:
    rows = AnalysisTask.objects.all().visible_to(request.principal).select_related("organisation", "plan")
    return get_object_or_404(rows, pk=pk)


@login_required
def task_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """State, units with their last result, what can be done."""
    task = _task(request, pk)
    page = keyset_page(AnalysisUnit.objects.filter(task=task), request.GET, size=50)
    lines = selectors.unit_lines(
        AnalysisUnit.objects.filter(pk__in=[row.pk for row in page.rows]).order_by("-pk")
    )
    can = request.principal.can("tasks.manage")
    moves = TASK_MOVES.get(TaskState(task.state), frozenset())
    context = {
        "task": task,
        "page": page,
        "lines": lines,
        "progress": selectors.progress(task),
        "versions": task.versions.select_related("algorithm"),
        "can_submit": can and task.state == TaskState.DRAFT,
        "can_stop": can and TaskState.STOPPED in moves,
    }
    template = "analysis/task_units.html" if request.htmx else "analysis/task_detail.html"
    return render(request, template, context)


@login_required
def task_add(request: HttpRequest) -> HttpResponse:
    """A new task; it is submitted at once unless it is kept as a draft."""
    request.principal.must("tasks.manage")
    form = TaskForm(request.POST or None, principal=request.principal)
    if request.method == "POST" and form.is_valid():
        try:
            task = services.create_task(by=request.principal, **form.cleaned_data)
            if "draft" not in request.POST:
                services.submit_task(by=request.principal, task=task)
        except Refusal as refusal:
            name = next(iter(refusal.fields), None)
            form.add_error(name if name in form.fields else None, str(refusal.message))
        else:
            messages.success(request, _("The task was saved."))
            return redirect("analysis:task-detail", pk=task.pk)
    chosen = request.POST.getlist("cameras") or request.GET.getlist("camera")
    context = {
        "form": form,
        "title": _("New task"),
        "cancel_url": reverse("analysis:task-list"),
        "cameras": selectors.cameras_to_choose(request.principal, "", _ids(chosen)),
        "chosen": set(chosen),
        "has_plans": form.fields["plan"].queryset.exists(),  # type: ignore[attr-defined]
    }
    return render(request, "analysis/task_form.html", context)


def _ids(texts: list[str]) -> list[str]:
    found = []
    for text in texts:
        try:
            found.append(str(UUID(text)))
        except ValueError:
            continue
    return found


@login_required
def camera_choices(request: HttpRequest) -> HttpResponse:
    """The list of cameras in the task form, narrowed by words; what is chosen stays."""
    chosen = _ids(request.GET.getlist("cameras"))
    found = selectors.cameras_to_choose(request.principal, request.GET.get("q", ""), chosen)
    return render(request, "analysis/camera_choices.html", {"cameras": found, "chosen": set(chosen)})


@login_required
@require_POST
def task_submit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A draft goes on its way."""
    return _done(request, pk, lambda task: services.submit_task(by=request.principal, task=task))


@login_required
@require_POST
def task_stop(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End a task."""
    return _done(request, pk, lambda task: services.stop_task(by=request.principal, task=task))


def _done(request: HttpRequest, pk: UUID, verb: Any) -> HttpResponse:
    task = _task(request, pk)
    try:
        verb(task)
    except Refusal as refusal:
        messages.error(request, str(refusal.message))
    return redirect("analysis:task-detail", pk=task.pk)
