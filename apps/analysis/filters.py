"""What the lists of the analysis room can be narrowed by."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.analysis.choices import Sampling, SlotState, TaskState
from apps.analysis.models import AnalysisTask, CaptureSlot, Plan, Scene


class TaskFilter(django_filters.FilterSet):
    """`q` (name), `state`, `sampling`."""

    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label=_("Name"))
    state = django_filters.ChoiceFilter(choices=TaskState.choices, label=_("State"))
    sampling = django_filters.ChoiceFilter(choices=Sampling.choices, label=_("Sampling"))

    class Meta:
        model = AnalysisTask
        fields = ("q", "state", "sampling")


class SlotFilter(django_filters.FilterSet):
    """`q` (camera), `camera` (id), `state`, `since`, `until` (planned time)."""

    q = django_filters.CharFilter(method="by_text", label=_("Camera"))
    camera = django_filters.UUIDFilter(field_name="camera_id", label=_("Camera id"), widget=forms.HiddenInput)
    state = django_filters.ChoiceFilter(choices=SlotState.choices, label=_("State"))
    since = django_filters.IsoDateTimeFilter(
        field_name="planned_at", lookup_expr="gte", label=_("Planned from")
    )
    until = django_filters.IsoDateTimeFilter(
        field_name="planned_at", lookup_expr="lt", label=_("Planned before")
    )

    class Meta:
        model = CaptureSlot
        fields = ("q", "camera", "state", "since", "until")

    def by_text(self, rows: QuerySet[CaptureSlot], name: str, value: str) -> QuerySet[CaptureSlot]:
        """Every word must occur in the camera's name, code or address."""
        for word in value.split()[:6]:
            rows = rows.filter(camera__search_text__icontains=word)
        return rows


class SceneFilter(django_filters.FilterSet):
    """`q` (camera), `camera` (id)."""

    q = django_filters.CharFilter(method="by_text", label=_("Camera"))
    camera = django_filters.UUIDFilter(field_name="camera_id", label=_("Camera id"), widget=forms.HiddenInput)

    class Meta:
        model = Scene
        fields = ("q", "camera")

    def by_text(self, rows: QuerySet[Scene], name: str, value: str) -> QuerySet[Scene]:
        """Every word must occur in the camera's name, code or address."""
        for word in value.split()[:6]:
            rows = rows.filter(camera__search_text__icontains=word)
        return rows


class PlanFilter(django_filters.FilterSet):
    """`q` (name)."""

    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label=_("Name"))

    class Meta:
        model = Plan
        fields = ("q",)
