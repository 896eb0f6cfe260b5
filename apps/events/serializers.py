"""API shapes of events and reviews."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.core.rest import StrictModelSerializer, StrictSerializer, principal_of
from apps.events.choices import FalseAlarmReason, Verdict
from apps.events.models import Event, EventOccurrence, Review
from apps.events.selectors import picture_link


class EventSerializer(StrictModelSerializer):
    """An event. `explanation` holds the ids of what decided; `picture` is a link for the caller alone."""

    code = serializers.CharField(source="event_type.code", read_only=True)
    name = serializers.CharField(source="event_type.name", read_only=True)
    camera_name = serializers.CharField(source="camera.name", read_only=True)
    organisation = serializers.CharField(source="camera.managing_organisation.code", read_only=True)
    longitude = serializers.FloatField(source="camera.longitude", read_only=True, allow_null=True)
    latitude = serializers.FloatField(source="camera.latitude", read_only=True, allow_null=True)
    algorithm = serializers.CharField(source="algorithm_version.algorithm.slug", read_only=True)
    algorithm_version = serializers.CharField(source="algorithm_version.version", read_only=True)
    picture = serializers.SerializerMethodField()

    class Meta:
        model = Event
        fields = (
            "id", "code", "name", "level", "camera", "camera_name", "organisation", "preset", "longitude",
            "latitude", "address", "time", "first_seen", "last_seen", "ended_at", "expires_at", "occurrences",
            "targets", "score", "algorithm", "algorithm_version", "review_state", "reviewed_at", "handling",
            "recurrence_of", "explanation", "picture", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_picture(self, row: Event) -> str | None:
        """An absolute link that checks the right at each use, or null."""
        link = picture_link(principal_of(self.context["request"]), row, "annotated")
        return f"{settings.VANTAGE_PUBLIC_URL}{link}" if link else None


class OccurrenceSerializer(StrictModelSerializer):
    """A repeat of a main event."""

    class Meta:
        model = EventOccurrence
        fields = ("id", "time", "targets", "score")
        read_only_fields = fields


class ReviewSerializer(StrictModelSerializer):
    """A verdict; `told_at` is when subscribers heard of it, `undone_at` when it was taken back."""

    class Meta:
        model = Review
        fields = (
            "id", "event", "verdict", "reason", "note", "source", "reviewer_name", "created_at", "undone_at", "told_at",
        )  # fmt: skip
        read_only_fields = fields


class ReviewInputSerializer(StrictSerializer):
    """What a reviewer says."""

    verdict = serializers.ChoiceField(choices=Verdict.choices)
    reason = serializers.ChoiceField(choices=FalseAlarmReason.choices, required=False, allow_blank=True)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)

    def create(self, validated_data: dict[str, Any]) -> Any:
        """Reviews are made by the service."""
        raise NotImplementedError

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        """Reviews never change."""
        raise NotImplementedError
