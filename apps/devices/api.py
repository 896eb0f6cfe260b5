"""/api/v1/cameras, /api/v1/captures, /api/v1/map."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import Organisation
from apps.core.errors import Refusal
from apps.core.rest import VisibleMixin, principal_of
from apps.devices import selectors, services
from apps.devices.filters import CameraFilter, CaptureFilter
from apps.devices.models import Camera, Capture
from apps.devices.serializers import (
    CameraSerializer,
    CaptureSerializer,
    NewCameraSerializer,
    StreamTestResultSerializer,
    StreamTestSerializer,
)


class CameraViewSet(
    VisibleMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Camera]
):
    """The catalogue as far as the caller sees it."""

    queryset = Camera.objects.select_related("managing_organisation", "region").prefetch_related("identities")
    serializer_class = CameraSerializer
    filterset_class = CameraFilter
    scopes: ClassVar[dict[str, str]] = {"read": "cameras:read", "write": "cameras:write"}

    @extend_schema(request=NewCameraSerializer, responses={201: CameraSerializer})
    def create(self, request: Request) -> Response:
        """Add a camera of an organisation the caller manages."""
        given = NewCameraSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        principal = principal_of(request)
        organisation = values.pop("organisation", None) or Organisation.objects.get(
            pk=principal.organisation_id
        )
        camera = services.add_camera(by=principal, organisation=organisation, **values)
        return Response(self.get_serializer(camera).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str | None = None) -> Response:
        """Change the card of a camera the caller manages."""
        camera = self.get_object()
        given = self.get_serializer(camera, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        camera = services.change_camera(by=principal_of(request), camera=camera, **given.validated_data)
        return Response(self.get_serializer(camera).data)

    @extend_schema(request=StreamTestSerializer, responses=StreamTestResultSerializer)
    @action(detail=False, methods=["post"], url_path="test-stream")
    def test_stream(self, request: Request) -> Response:
        """Open an address for some seconds and say what was found; nothing is saved."""
        given = StreamTestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        trial = services.try_stream(
            by=principal_of(request),
            url=given.validated_data["url"],
            transport=given.validated_data["transport"],
        )
        found = trial.probe
        return Response(
            {
                "ok": found is not None,
                "fault": trial.fault,
                "detail": trial.words,
                "codec": found.codec if found else "",
                "width": found.width if found else 0,
                "height": found.height if found else 0,
                "frame_rate": found.fps if found else 0.0,
                "gop": found.gop if found else 0,
                "clock_offset": found.clock_offset if found else None,
            }
        )


class CaptureViewSet(VisibleMixin, viewsets.ReadOnlyModelViewSet[Capture]):
    """Kept pictures; needs `capture` on the camera, and frame times before history_from do not exist."""

    queryset = Capture.objects.all()
    serializer_class = CaptureSerializer
    filterset_class = CaptureFilter
    visibility = "capture"
    scopes: ClassVar[dict[str, str]] = {"read": "captures:read"}


class MapView(APIView):
    """Cameras of a map's box, or clusters when there are more than 2,000."""

    scopes: ClassVar[dict[str, str]] = {"read": "cameras:read"}

    @extend_schema(
        parameters=[
            OpenApiParameter("box", str, required=True, description="west,south,east,north (WGS-84)")
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        """`{"cameras": […], "clusters": […]}`."""
        try:
            west, south, east, north = (
                float(part) for part in request.query_params.get("box", "").split(",")
            )
        except ValueError:
            raise Refusal("bad_box", _("Give box=west,south,east,north in degrees.")) from None
        rows: Any = Camera.objects.visible_to(principal_of(request))
        filtered = CameraFilter(request.query_params, queryset=rows)
        return Response(selectors.map_view(principal_of(request), (west, south, east, north), filtered.qs))


routes = [("cameras", CameraViewSet), ("captures", CaptureViewSet)]
urlpatterns = [path("map", MapView.as_view(), name="map-api")]
