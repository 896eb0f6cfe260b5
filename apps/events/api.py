"""/api/v1/events with their repeats and reviews."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponseRedirect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import NotFound
from apps.core.rest import VisibleMixin, principal_of
from apps.events import services
from apps.events.choices import ReviewSource
from apps.events.filters import EventFilter
from apps.events.models import Event
from apps.events.selectors import picture_link
from apps.events.serializers import (
    EventSerializer,
    OccurrenceSerializer,
    ReviewInputSerializer,
    ReviewSerializer,
)


class EventViewSet(
    VisibleMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Event]
):
    """Events, newest first. Filters: q, type (code), level, state, camera, organisation, since, until, open."""

    queryset = Event.objects.select_related(
        "event_type", "camera__managing_organisation", "algorithm_version__algorithm"
    )
    serializer_class = EventSerializer
    filterset_class = EventFilter
    scopes: ClassVar[dict[str, str]] = {"read": "events:read", "write": "events:write"}

    @extend_schema(responses=OccurrenceSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def occurrences(self, request: Request, pk: str | None = None) -> Response:
        """The latest 200 repeats of a main event."""
        rows = self.get_object().attached.order_by("-time")[:200]
        return Response(OccurrenceSerializer(rows, many=True).data)

    @extend_schema(responses={302: None})
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def picture(self, request: Request, pk: str | None = None) -> Any:
        """Redirects to the picture with its boxes; 404 where there is none any more."""
        link = picture_link(principal_of(request), self.get_object(), "annotated")
        if not link:
            raise NotFound("no_picture", "This event has no picture.")
        return HttpResponseRedirect(link)

    @extend_schema(methods=["get"], responses=ReviewSerializer(many=True))
    @extend_schema(methods=["post"], request=ReviewInputSerializer, responses={201: ReviewSerializer})
    @action(detail=True, methods=["get", "post"], pagination_class=None, filterset_class=None)
    def reviews(self, request: Request, pk: str | None = None) -> Response:
        """Read the verdicts on an event, or add one; it can be taken back for 10 s."""
        event = self.get_object()
        if request.method == "GET":
            return Response(ReviewSerializer(event.reviews.order_by("-created_at"), many=True).data)
        given = ReviewInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        review = services.review_event(
            principal=principal_of(request),
            event_id=event.pk,
            source=ReviewSource.API,
            **given.validated_data,
        )
        return Response(ReviewSerializer(review).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        request=None,
        responses=EventSerializer,
        parameters=[OpenApiParameter("review", OpenApiTypes.UUID, OpenApiParameter.PATH)],
    )
    @action(
        detail=True,
        methods=["post"],
        url_path=r"reviews/(?P<review>[0-9a-f-]{36})/undo",
        url_name="review-undo",
    )
    def undo(self, request: Request, pk: str | None = None, review: str = "") -> Response:
        """Take back one's own verdict within 10 s."""
        event = self.get_object()
        if not event.reviews.filter(pk=_identifier(review)).exists():
            raise NotFound("review_not_found", "There is no such review.")
        services.undo_review(principal=principal_of(request), review_id=UUID(review))
        return Response(self.get_serializer(self.get_object()).data)


def _identifier(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


routes = [("events", EventViewSet)]
