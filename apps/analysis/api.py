"""/api/v1/tasks, /api/v1/scenes, /api/v1/plans."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.analysis import services
from apps.analysis.filters import PlanFilter, SceneFilter, TaskFilter
from apps.analysis.models import AnalysisTask, AnalysisUnit, Plan, Scene
from apps.analysis.serializers import (
    NewTaskSerializer,
    PlanSerializer,
    SceneSerializer,
    TaskSerializer,
    UnitSerializer,
)
from apps.core.rest import VisibleMixin, principal_of


class TaskViewSet(VisibleMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Analysis tasks of the caller's organisation and below."""

    queryset = AnalysisTask.objects.select_related("organisation")
    serializer_class = TaskSerializer
    filterset_class = TaskFilter
    scopes: ClassVar[dict[str, str]] = {"read": "tasks:read", "units": "tasks:read", "write": "tasks:write"}

    @extend_schema(request=NewTaskSerializer, responses={201: TaskSerializer})
    def create(self, request: Request) -> Response:
        """Create a task on cameras the caller may analyse, and submit it unless `submit` is false."""
        given = NewTaskSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        submit, principal = values.pop("submit"), principal_of(request)
        task = services.create_task(by=principal, **values)
        if submit:
            task = services.submit_task(by=principal, task=task)
        return Response(self.get_serializer(task).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=TaskSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str | None = None) -> Response:
        """End the task."""
        task = services.stop_task(by=principal_of(request), task=self.get_object())
        return Response(self.get_serializer(task).data)

    @extend_schema(responses=UnitSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], filterset_class=None)
    def units(self, request: Request, pk: str | None = None) -> Response:
        """The task's units with the last result of each."""
        rows = AnalysisUnit.objects.filter(task=self.get_object()).select_related(
            "execution", "version__algorithm"
        )
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(UnitSerializer(page, many=True).data)


class SceneViewSet(VisibleMixin, viewsets.ReadOnlyModelViewSet):
    """Scenes of the cameras the caller may analyse."""

    queryset = Scene.objects.all()
    serializer_class = SceneSerializer
    filterset_class = SceneFilter
    scopes: ClassVar[dict[str, str]] = {"read": "tasks:read"}


class PlanViewSet(VisibleMixin, viewsets.ReadOnlyModelViewSet):
    """Time plans of the caller's organisation, and shared ones."""

    queryset = Plan.objects.select_related("organisation")
    serializer_class = PlanSerializer
    filterset_class = PlanFilter
    scopes: ClassVar[dict[str, str]] = {"read": "tasks:read"}


routes = [("tasks", TaskViewSet), ("scenes", SceneViewSet), ("plans", PlanViewSet)]
