"""What algorithm and package lists can be narrowed by."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.algorithms.choices import VersionState
from apps.algorithms.models import Algorithm, AlgorithmPackage


class AlgorithmFilter(django_filters.FilterSet):
    """By words in name or code."""

    q = django_filters.CharFilter(method="by_text", label=_("Search"))

    class Meta:
        model = Algorithm
        fields = ("q",)

    def by_text(self, rows: QuerySet[Algorithm], name: str, value: str) -> QuerySet[Algorithm]:
        """Name in either language, or slug."""
        return rows.filter(
            Q(name_zh__icontains=value) | Q(name_en__icontains=value) | Q(slug__icontains=value)
        )


class PackageFilter(django_filters.FilterSet):
    """By state."""

    state = django_filters.ChoiceFilter(choices=VersionState.choices, label=_("State"))

    class Meta:
        model = AlgorithmPackage
        fields = ("state",)
