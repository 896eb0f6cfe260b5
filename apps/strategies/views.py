"""Pages of the strategies room: strategies with their graph, versions and bindings; traces."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.core.errors import NotAllowed, Refusal
from apps.core.pages import Column, KeysetPage, VisibleListView
from apps.strategies import selectors, services
from apps.strategies.choices import TraceVerdict
from apps.strategies.filters import StrategyFilter, TraceFilter
from apps.strategies.forms import BindingForm, DraftForm, NewStrategyForm
from apps.strategies.models import Strategy, StrategyBinding, Trace


class StrategyListView(VisibleListView):
    """Strategies of one's organisation and the shared ones."""

    model = Strategy
    title = gettext_lazy("Strategies")
    filterset_class = StrategyFilter
    row_template = "strategies/strategy_row.html"
    columns = (
        Column("name", gettext_lazy("Name")),
        Column("state", gettext_lazy("State")),
        Column("version", gettext_lazy("Version"), numeric=True),
        Column("bindings", gettext_lazy("Bindings"), numeric=True),
        Column("organisation", gettext_lazy("Organisation")),
        Column("changed", gettext_lazy("Changed")),
    )

    def rows(self) -> QuerySet[Strategy]:
        """With what a row shows."""
        rows: QuerySet[Strategy] = super().rows().select_related("organisation")
        return rows.annotate(
            last_version=Max("versions__number"),
            active_bindings=Count("bindings", filter=Q(bindings__is_active=True), distinct=True),
        )

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Making one is offered to those who may."""
        return {
            **self.adding("strategies.manage", "strategies:strategy-add", _("New strategy")),
            "empty_icon": "git-branch",
            "empty_title": _("No strategies yet"),
            "empty_text": _(
                "Without a strategy no detection becomes an event: every trace says “no strategy”."
            ),
        }


def _strategy(request: HttpRequest, pk: UUID, action: str = "view") -> Strategy:
    rows = Strategy.objects.visible_to(request.principal, action)  # type: ignore[attr-defined]
    return get_object_or_404(rows.select_related("organisation"), pk=pk)


@login_required
def strategy_add(request: HttpRequest) -> HttpResponse:
    """A new draft."""
    principal = request.principal  # type: ignore[attr-defined]
    principal.must("strategies.manage")
    form = NewStrategyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        strategy = services.create_strategy(principal=principal, **form.cleaned_data)
        return HttpResponseRedirect(reverse("strategies:strategy-detail", args=[strategy.pk]))
    context = {"form": form, "title": _("New strategy"), "cancel_url": reverse("strategies:strategy-list")}
    return render(request, "generic/form.html", context)


@login_required
def strategy_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Graph with today's counts, parameters, bindings, versions; the draft for those who may change it."""
    return _detail(request, _strategy(request, pk))


def _detail(request: HttpRequest, strategy: Strategy, **more: Any) -> HttpResponse:
    principal = request.principal  # type: ignore[attr-defined]
    version = strategy.versions.order_by("-number").first()
    graph = version.graph if version else strategy.draft
    counts = selectors.strategy_counts(principal, strategy)
    can_edit = (
        principal.can("strategies.manage")
        and Strategy.objects.filter(pk=strategy.pk).visible_to(principal, "change").exists()
    )
    draft = json.dumps(selectors.in_order(strategy.draft), ensure_ascii=False, indent=2)
    context = {
        "strategy": strategy,
        "version": version,
        "graph": selectors.drawn_graph(graph, counts=counts.nodes),
        "parameters": selectors.parameters_in_words(graph),
        "counts": counts,
        "reasons": [
            (component, reason, selectors.reason_words(component, reason), count)
            for component, reason, count in counts.reasons
        ],
        "versions": strategy.versions.select_related("published_by").order_by("-number"),
        "bindings": strategy.bindings.filter(is_active=True)
        .select_related("plan", "version")
        .annotate(camera_count=Count("cameras", distinct=True))
        .prefetch_related("event_types"),
        "can_edit": can_edit,
        "is_draft_newer": version is None or version.graph != strategy.draft,
        "draft_form": DraftForm(initial={"draft": draft}),
        "binding_form": BindingForm(principal=principal) if can_edit and version else None,
        **more,
    }
    return render(request, "strategies/strategy_detail.html", context)


@login_required
@require_POST
def strategy_draft(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Save the draft, and check or publish it as the button says; problems are shown on the same page."""
    principal = request.principal  # type: ignore[attr-defined]
    strategy = _strategy(request, pk, "change")
    form = DraftForm(request.POST)
    if not form.is_valid():
        return _detail(request, strategy, draft_form=form)
    strategy = services.save_draft(principal=principal, strategy=strategy, graph=form.cleaned_data["draft"])
    problems = []
    if request.POST.get("do") == "publish":
        try:
            version = services.publish_strategy(principal=principal, strategy=strategy)
        except services.GraphRefused as refusal:
            problems = refusal.problems
        else:
            messages.success(request, _("Version %(number)d runs now.") % {"number": version.number})
    elif request.POST.get("do") == "check":
        problems = services.check_strategy(principal=principal, strategy=strategy)
        if not problems:
            messages.success(request, _("The graph can run."))
    else:
        messages.success(request, _("The draft is saved; the published version runs on."))
    if problems:
        return _detail(request, strategy, problems=problems, draft_form=DraftForm(request.POST))
    return HttpResponseRedirect(reverse("strategies:strategy-detail", args=[pk]))


@login_required
@require_POST
def strategy_switch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Stop or start."""
    verb = services.stop_strategy if request.POST.get("do") == "stop" else services.start_strategy
    verb(principal=request.principal, strategy=_strategy(request, pk, "change"))  # type: ignore[attr-defined]
    return HttpResponseRedirect(reverse("strategies:strategy-detail", args=[pk]))


@login_required
@require_POST
def strategy_bind(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Add a binding; an undecidable overlap is named on the form."""
    principal = request.principal  # type: ignore[attr-defined]
    strategy = _strategy(request, pk, "change")
    form = BindingForm(request.POST, principal=principal)
    if not form.is_valid():
        return _detail(request, strategy, binding_form=form)
    given = form.cleaned_data
    try:
        services.bind(
            principal=principal,
            strategy=strategy,
            scope=given["scope"],
            cameras=given["cameras"],
            query=given["query"],
            plan=given["plan"],
            event_types=None if given["all_event_types"] else given["event_types"],
        )
    except NotAllowed:
        raise
    except Refusal as refusal:
        form.add_error(None, str(refusal.message))
        return _detail(request, strategy, binding_form=form)
    return HttpResponseRedirect(reverse("strategies:strategy-detail", args=[pk]))


@login_required
@require_POST
def binding_end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End a binding."""
    principal = request.principal  # type: ignore[attr-defined]
    rows = StrategyBinding.objects.visible_to(principal, "change").select_related("strategy")
    binding = get_object_or_404(rows, pk=pk)
    services.unbind(principal=principal, binding=binding)
    return HttpResponseRedirect(reverse("strategies:strategy-detail", args=[binding.strategy_id]))


class TraceListView(VisibleListView):
    """What became of each raw event, newest first."""

    model = Trace
    title = gettext_lazy("Traces")
    filterset_class = TraceFilter
    row_template = "strategies/trace_row.html"
    template_name = "strategies/trace_list.html"
    columns = (
        Column("time", gettext_lazy("Time")),
        Column("camera", gettext_lazy("Camera")),
        Column("verdict", gettext_lazy("Verdict")),
        Column("reason", gettext_lazy("Reason")),
        Column("strategy", gettext_lazy("Strategy")),
        Column("path", gettext_lazy("Path")),
        Column("event", gettext_lazy("Event")),
    )

    def rows(self) -> QuerySet[Trace]:
        """With what a row shows."""
        rows: QuerySet[Trace] = super().rows().select_related("camera", "version__strategy")
        return rows

    def context(self, page: KeysetPage) -> dict[str, Any]:
        """Reasons and components in words."""
        for row in page.rows:
            row.why = selectors.reason_words(row.component, row.reason)
            row.path = selectors.steps_in_words(row.steps)
        return {
            "failed": self._can_retry() and any(row.verdict == TraceVerdict.FAILED for row in page.rows),
            "empty_icon": "route",
            "empty_title": _("No traces yet"),
            "empty_text": _("Each detection leaves a trace here: raised, merged or stopped, and why."),
            "empty_url": reverse("strategies:strategy-list"),
            "empty_action": _("Strategies"),
        }

    def _can_retry(self) -> bool:
        return bool(self.request.principal.can("strategies.manage"))  # type: ignore[attr-defined]


@login_required
def trace_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One run: the lit path, each component with what it saw, and the event it led to."""
    rows = Trace.objects.visible_to(request.principal).select_related("camera", "version__strategy")  # type: ignore[attr-defined]
    trace = get_object_or_404(rows, pk=pk)
    return render(request, "strategies/trace_detail.html", _trace_context(trace))


def _trace_context(trace: Trace) -> dict[str, Any]:
    verdicts = {step["node"]: step["verdict"] for step in trace.steps}
    return {
        "trace": trace,
        "steps": selectors.steps_in_words(trace.steps),
        "why": selectors.reason_words(trace.component, trace.reason),
        "graph": selectors.drawn_graph(trace.version.graph, verdicts=verdicts) if trace.version else None,
        "total_us": sum(step["us"] for step in trace.steps),
    }


@login_required
def event_trace(request: HttpRequest, raw_event: UUID) -> HttpResponse:
    """The steps of a raw event's runs, a part of the event's page; `?short=1` draws them as dots."""
    rows = Trace.objects.visible_to(request.principal).filter(raw_event=raw_event)  # type: ignore[attr-defined]
    traces = [_trace_context(row) for row in rows.select_related("version__strategy").order_by("-ran_at")[:3]]
    template = "strategies/trace_dots.html" if request.GET.get("short") else "strategies/trace_steps.html"
    return render(request, template, {"traces": traces})


@login_required
@require_POST
def traces_retry(request: HttpRequest) -> HttpResponse:
    """Runs that failed three times go back into the queue."""
    count = services.retry_failed(principal=request.principal)  # type: ignore[attr-defined]
    messages.info(request, _("%(count)d failed runs are tried again.") % {"count": count})
    return HttpResponseRedirect(f"{reverse('strategies:trace-list')}?verdict=failed")
