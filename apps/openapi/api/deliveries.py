"""/api/v1/apps and /api/v1/deliveries."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.rest import VisibleMixin, principal_of
from apps.openapi import services
from apps.openapi.filters import DeliveryFilter
from apps.openapi.models import App, Delivery
from apps.openapi.serializers import (
    AppSerializer,
    DeliveryDetailSerializer,
    DeliverySerializer,
)

SCOPES = {"read": "subscriptions:read", "write": "subscriptions:write"}


class AppViewSet(
    VisibleMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[App]
):
    """Apps: a key sees its own, a person those of the own organisation."""

    queryset = App.objects.select_related("organisation")
    serializer_class = AppSerializer
    scopes: ClassVar[dict[str, str]] = SCOPES


class DeliveryViewSet(
    VisibleMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Delivery]
):
    """The log of what was sent where."""

    queryset = Delivery.objects.select_related("subscription__app__organisation")
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter
    scopes: ClassVar[dict[str, str]] = SCOPES

    @extend_schema(responses=DeliveryDetailSerializer)
    def retrieve(self, request: Request, pk: str | None = None) -> Response:
        """One delivery with its body and every try."""
        return Response(DeliveryDetailSerializer(self.get_object()).data)

    @extend_schema(request=None, responses=DeliverySerializer)
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: str | None = None) -> Response:
        """Queue the message again with the same webhook-id."""
        row = services.resend_delivery(by=principal_of(request), delivery=self.get_object())
        return Response(self.get_serializer(row).data)
