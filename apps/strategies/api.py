"""/api/v1/strategies and /api/v1/traces."""

from __future__ import annotations

from typing import ClassVar

from rest_framework import mixins, viewsets

from apps.core.rest import VisibleMixin
from apps.strategies.filters import StrategyFilter, TraceFilter
from apps.strategies.models import Strategy, Trace
from apps.strategies.serializers import StrategySerializer, TraceSerializer


class StrategyViewSet(
    VisibleMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Strategy]
):
    """Strategies of one's organisation and the shared ones, with their published graphs and bindings."""

    queryset = Strategy.objects.select_related("organisation").prefetch_related(
        "versions", "bindings__version", "bindings__event_types"
    )
    serializer_class = StrategySerializer
    filterset_class = StrategyFilter
    scopes: ClassVar[dict[str, str]] = {"read": "algorithms:read"}


class TraceViewSet(
    VisibleMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Trace]
):
    """What became of each raw event, newest first. Filters: verdict, reason, camera, strategy, raw_event, since."""

    queryset = Trace.objects.select_related("version")
    serializer_class = TraceSerializer
    filterset_class = TraceFilter
    scopes: ClassVar[dict[str, str]] = {"read": "events:read"}


routes = [("strategies", StrategyViewSet), ("traces", TraceViewSet)]
