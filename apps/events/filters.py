"""What event lists can be narrowed by."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.algorithms.choices import Level
from apps.algorithms.models import EventType
from apps.events.choices import ReviewState
from apps.events.models import Event

MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"})


class OneOfSeveral(forms.Select):
    """A plain choice on the page for a filter of which the URL may name several values."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """All values of the URL; the empty one means no filter."""
        values = data.getlist(name) if hasattr(data, "getlist") else [data.get(name, "")]
        return [value for value in values if value]


class EventFilter(django_filters.FilterSet):
    """`q` (camera, organisation, address, type), `type` (code), `level`, `state`, `camera`, `organisation`,
    `since`, `until` (moment of the first frame), `open` (still going on)."""

    q = django_filters.CharFilter(method="by_text", label=_("Camera, organisation, place"))
    type = django_filters.ModelChoiceFilter(
        field_name="event_type",
        queryset=EventType.objects.order_by("code"),
        to_field_name="code",
        label=_("Event type"),
        empty_label=_("All"),
    )
    level = django_filters.ChoiceFilter(choices=Level.choices, label=_("Level"), empty_label=_("All"))
    state = django_filters.MultipleChoiceFilter(
        field_name="review_state",
        choices=[("", _("All")), *ReviewState.choices],
        label=_("Review"),
        widget=OneOfSeveral(),
    )
    since = django_filters.IsoDateTimeFilter(
        field_name="time", lookup_expr="gte", label=_("From"), widget=MOMENT
    )
    until = django_filters.IsoDateTimeFilter(
        field_name="time", lookup_expr="lt", label=_("Until"), widget=MOMENT
    )
    camera = django_filters.UUIDFilter(field_name="camera_id", label=_("Camera"), widget=forms.HiddenInput())
    organisation = django_filters.CharFilter(
        field_name="camera__managing_organisation__code", widget=forms.HiddenInput(), label=_("Managed by")
    )
    open = django_filters.BooleanFilter(
        field_name="ended_at", lookup_expr="isnull", label=_("Going on"), widget=forms.HiddenInput()
    )

    class Meta:
        model = Event
        fields = ("q", "type", "level", "state", "since", "until", "camera", "organisation", "open")

    def by_text(self, rows: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        """Every word occurs in the camera's words, its organisation's name, the address or the type's names."""
        for word in value.split()[:6]:
            rows = rows.filter(
                Q(camera__search_text__icontains=word)
                | Q(camera__name__icontains=word)
                | Q(camera__managing_organisation__name__icontains=word)
                | Q(address__icontains=word)
                | Q(event_type__name_zh__icontains=word)
                | Q(event_type__name_en__icontains=word)
                | Q(event_type__code=word)
            )
        return rows
