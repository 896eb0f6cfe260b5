"""What the camera and capture lists can be narrowed by."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organisation
from apps.devices.choices import CameraState, SharingClass
from apps.devices.models import Camera, Capture


class CameraFilter(django_filters.FilterSet):
    """`q` (name, code, address), `state`, `organisation`, `region` (code prefix), `box` west,south,east,north."""

    q = django_filters.CharFilter(method="by_text", label=_("Name, code or address"))
    state = django_filters.ChoiceFilter(
        choices=CameraState.choices, label=_("State"), empty_label=_("All states")
    )
    organisation = django_filters.ModelChoiceFilter(
        field_name="managing_organisation",
        queryset=Organisation.objects.order_by("path"),
        to_field_name="code",
        label=_("Managed by"),
        empty_label=_("All organisations"),
    )
    region = django_filters.CharFilter(
        field_name="region__code", lookup_expr="startswith", label=_("Region code begins with")
    )
    sharing_class = django_filters.ChoiceFilter(
        choices=SharingClass.choices, label=_("Sharing class"), empty_label=_("All classes")
    )
    box = django_filters.CharFilter(method="by_box", widget=forms.HiddenInput)

    class Meta:
        model = Camera
        fields = ("q", "state", "organisation", "region", "box", "sharing_class")

    def by_text(self, rows: QuerySet[Camera], name: str, value: str) -> QuerySet[Camera]:
        """Every word must occur."""
        for word in value.split()[:6]:
            rows = rows.filter(search_text__icontains=word)
        return rows

    def by_box(self, rows: QuerySet[Camera], name: str, value: str) -> Any:
        """An unreadable box finds nothing rather than everything."""
        try:
            west, south, east, north = (float(part) for part in value.split(","))
        except ValueError:
            return rows.none()
        return rows.filter(longitude__range=(west, east), latitude__range=(south, north))


class CaptureFilter(django_filters.FilterSet):
    """`camera` (id), `since`, `until`."""

    camera = django_filters.UUIDFilter(
        field_name="camera_id"
    )  # no choice: it would tell that a foreign one exists
    since = django_filters.IsoDateTimeFilter(field_name="time", lookup_expr="gte")
    until = django_filters.IsoDateTimeFilter(field_name="time", lookup_expr="lt")

    class Meta:
        model = Capture
        fields = ("camera", "since", "until")
