"""What strategy and trace lists can be narrowed by."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.strategies.choices import StrategyState, TraceVerdict
from apps.strategies.models import Strategy, Trace

MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"})


class StrategyFilter(django_filters.FilterSet):
    """`q` (name), `state`."""

    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label=_("Search"))
    state = django_filters.ChoiceFilter(choices=StrategyState.choices, label=_("State"), empty_label=_("All"))

    class Meta:
        model = Strategy
        fields = ("q", "state")


class TraceFilter(django_filters.FilterSet):
    """`q` (camera), `verdict`, `reason`, `component`, `camera`, `strategy`, `raw_event`, `since`, `until`."""

    q = django_filters.CharFilter(method="by_camera", label=_("Camera"))
    verdict = django_filters.ChoiceFilter(
        choices=TraceVerdict.choices, label=_("Verdict"), empty_label=_("All")
    )
    reason = django_filters.CharFilter(label=_("Reason"))
    since = django_filters.IsoDateTimeFilter(
        field_name="time", lookup_expr="gte", label=_("From"), widget=MOMENT
    )
    until = django_filters.IsoDateTimeFilter(
        field_name="time", lookup_expr="lt", label=_("Until"), widget=MOMENT
    )
    component = django_filters.CharFilter(widget=forms.HiddenInput(), label=_("Component"))
    camera = django_filters.UUIDFilter(field_name="camera_id", widget=forms.HiddenInput(), label=_("Camera"))
    strategy = django_filters.UUIDFilter(
        field_name="version__strategy_id", widget=forms.HiddenInput(), label=_("Strategy")
    )
    raw_event = django_filters.UUIDFilter(widget=forms.HiddenInput(), label=_("Raw event"))

    class Meta:
        model = Trace
        fields = ("q", "verdict", "reason", "since", "until", "component", "camera", "strategy", "raw_event")

    def by_camera(self, rows: QuerySet[Trace], name: str, value: str) -> QuerySet[Trace]:
        """Every word occurs in the camera's words or name."""
        for word in value.split()[:6]:
            rows = rows.filter(Q(camera__search_text__icontains=word) | Q(camera__name__icontains=word))
        return rows
