"""/api/v1/algorithms, /packages, /event-types."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Organisation
from apps.algorithms.forms import stored_upload
from apps.algorithms.models import Algorithm, AlgorithmPackage, EventType
from apps.algorithms.serializers import (
    AlgorithmSerializer,
    EventTypeSerializer,
    PackageSerializer,
    PackageUploadSerializer,
)
from apps.algorithms.services import upload_package
from apps.core.rest import VisibleMixin, principal_of


class AlgorithmViewSet(VisibleMixin, viewsets.ReadOnlyModelViewSet[Algorithm]):
    """The warehouse."""

    queryset = Algorithm.objects.prefetch_related("versions__packages", "items__event_type")
    serializer_class = AlgorithmSerializer
    filterset_fields = ("slug", "task")
    scopes: ClassVar[dict[str, str]] = {"read": "algorithms:read"}


class EventTypeViewSet(VisibleMixin, viewsets.ReadOnlyModelViewSet[EventType]):
    """The platform's event types."""

    queryset = EventType.objects.select_related("parent")
    serializer_class = EventTypeSerializer
    filterset_fields = ("code", "level")
    scopes: ClassVar[dict[str, str]] = {"read": "algorithms:read"}


class PackageViewSet(
    VisibleMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[AlgorithmPackage]
):
    """Packages; an upload is checked in the background, its report appears in `report`."""

    queryset = AlgorithmPackage.objects.all()
    serializer_class = PackageSerializer
    parser_classes = (MultiPartParser, JSONParser)
    filterset_fields = ("state", "platform")
    scopes: ClassVar[dict[str, str]] = {"read": "algorithms:read", "write": "packages:write"}

    @extend_schema(
        request={"multipart/form-data": PackageUploadSerializer}, responses={202: PackageSerializer}
    )
    def create(self, request: Request) -> Response:
        """Upload a package; the answer is 202, the check follows."""
        given = PackageUploadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        principal = principal_of(request)
        organisation = Organisation.objects.get(pk=principal.organisation_id)
        upload = given.validated_data["file"]
        with stored_upload(upload) as path:
            package = upload_package(
                by=principal, path=path, file_name=Path(upload.name).name, organisation=organisation
            )
        return Response(self.get_serializer(package).data, status=status.HTTP_202_ACCEPTED)


routes = [("algorithms", AlgorithmViewSet), ("event-types", EventTypeViewSet), ("packages", PackageViewSet)]
