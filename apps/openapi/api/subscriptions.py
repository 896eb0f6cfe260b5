"""/api/v1/subscriptions."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.algorithms.models import EventType
from apps.core.errors import NotFound, Refusal
from apps.core.rest import NO_CONTENT, VisibleMixin, principal_of
from apps.devices.models import Camera
from apps.events.models import Event
from apps.openapi import selectors, services
from apps.openapi.filters import SubscriptionFilter
from apps.openapi.models import App, Subscription
from apps.openapi.serializers import (
    NewSubscriptionSerializer,
    ReplayResultSerializer,
    ReplaySerializer,
    SecretSerializer,
    StageSerializer,
    SubscriptionChangeSerializer,
    SubscriptionInputSerializer,
    SubscriptionSerializer,
    TestResultSerializer,
)

SCOPES = {"read": "subscriptions:read", "write": "subscriptions:write"}


class SubscriptionViewSet(
    VisibleMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Subscription]
):
    """Which events go to which endpoint."""

    queryset = Subscription.objects.select_related("app__organisation").prefetch_related(
        "event_types", "cameras"
    )
    serializer_class = SubscriptionSerializer
    filterset_class = SubscriptionFilter
    scopes: ClassVar[dict[str, str]] = SCOPES | {"explain": "subscriptions:read"}

    @extend_schema(request=SubscriptionInputSerializer, responses={201: NewSubscriptionSerializer})
    def create(self, request: Request) -> Response:
        """Subscribe an endpoint. The answer holds the signing secret, this once."""
        given = SubscriptionInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        principal, values = principal_of(request), _resolved(principal_of(request), given.validated_data)
        made = services.create_subscription(
            by=principal, app=_app(principal, values.pop("app", None)), **values
        )
        body = self.get_serializer(made.subscription).data
        return Response({**body, "secret": made.secret}, status=status.HTTP_201_CREATED)

    @extend_schema(request=SubscriptionChangeSerializer, responses=SubscriptionSerializer)
    def partial_update(self, request: Request, pk: str | None = None) -> Response:
        """Change what is given."""
        row = self.get_object()
        given = SubscriptionChangeSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        principal = principal_of(request)
        services.update_subscription(
            by=principal, subscription=row, **_resolved(principal, given.validated_data)
        )
        return Response(self.get_serializer(self.get_object()).data)

    def destroy(self, request: Request, pk: str | None = None) -> Response:
        """Remove the subscription with its log."""
        services.delete_subscription(by=principal_of(request), subscription=self.get_object())
        return Response(status=NO_CONTENT)

    @extend_schema(request=None, responses=TestResultSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str | None = None) -> Response:
        """Send a signed example message now and say what the receiver answered."""
        result = services.send_test(by=principal_of(request), subscription=self.get_object())
        return Response(TestResultSerializer(result).data)

    @extend_schema(request=None, responses=SecretSerializer)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str | None = None) -> Response:
        """A new signing secret, shown this once; for 24 h messages carry a signature by each."""
        secret = services.rotate_secret(by=principal_of(request), subscription=self.get_object())
        return Response({"secret": secret})

    @extend_schema(request=None, responses=SubscriptionSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str | None = None) -> Response:
        """Send nothing for now; messages wait."""
        row = services.pause_subscription(by=principal_of(request), subscription=self.get_object())
        return Response(self.get_serializer(row).data)

    @extend_schema(request=None, responses=SubscriptionSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str | None = None) -> Response:
        """Serve a paused or disabled endpoint again."""
        row = services.resume_subscription(by=principal_of(request), subscription=self.get_object())
        return Response(self.get_serializer(row).data)

    @extend_schema(request=ReplaySerializer, responses=ReplayResultSerializer)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str | None = None) -> Response:
        """Send the messages of a range again: dead ones, missing ones, and delivered ones where asked for."""
        given = ReplaySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        preview = values.pop("preview")
        run = services.plan_replay if preview else services.replay_range
        plan = run(by=principal_of(request), subscription=self.get_object(), **values)
        return Response({"again": len(plan.again), "missing": len(plan.missing), "preview": preview})

    @extend_schema(
        parameters=[OpenApiParameter("event", OpenApiTypes.UUID, required=True)],
        responses=StageSerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def explain(self, request: Request, pk: str | None = None) -> Response:
        """Why an event was, or was not, delivered here: the gates in order, up to the one that stopped it."""
        event = _event(principal_of(request), request.query_params.get("event", ""))
        stages = selectors.explain(self.get_object(), event)
        return Response(StageSerializer(stages, many=True).data)


def _app(principal: Any, identifier: Any) -> App:
    wanted = identifier or (principal.id if principal.kind == "app" else None)
    if wanted is None:
        words = _("Say which app the subscription belongs to.")
        raise Refusal("app_missing", words, fields={"app": words})
    row = App.objects.visible_to(principal).select_related("organisation").filter(pk=wanted).first()
    if row is None:
        raise NotFound("not_found", _("There is nothing here, or you may not see it."))
    return row


def _event(principal: Any, text: str) -> Event:
    try:
        row = Event.objects.visible_to(principal).filter(pk=UUID(text)).first()
    except ValueError:
        row = None
    if row is None:
        raise NotFound("not_found", _("There is nothing here, or you may not see it."))
    return row


def _resolved(principal: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Codes and ids replaced by rows; unknown ones are refused by name."""
    values = dict(given)
    if values.get("event_types") is not None:
        values["event_types"] = _all_of(
            "event_types", EventType.objects.visible_to(principal), "code", values["event_types"]
        )
    if values.get("cameras") is not None:
        values["cameras"] = _all_of("cameras", Camera.objects.visible_to(principal), "pk", values["cameras"])
    return values


def _all_of(name: str, rows: Any, field: str, wanted: list[Any]) -> list[Any]:
    found = {getattr(row, field): row for row in rows.filter(**{f"{field}__in": wanted})}
    missing = sorted({str(one) for one in wanted} - {str(one) for one in found})
    if missing:
        words = _("Unknown: %(missing)s.") % {"missing": ", ".join(missing[:10])}
        raise Refusal("unknown_reference", words, fields={name: words})
    return list(found.values())
