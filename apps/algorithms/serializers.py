"""API shapes of algorithms, packages and event types."""

from __future__ import annotations

from rest_framework import serializers

from apps.algorithms.models import Algorithm, AlgorithmPackage, AlgorithmVersion, DetectionItem, EventType
from apps.core.rest import StrictModelSerializer, StrictSerializer


class ItemSerializer(StrictModelSerializer):
    """A detection item and the event type it is mapped to."""

    event_type = serializers.CharField(source="event_type.code", read_only=True, default=None)

    class Meta:
        model = DetectionItem
        fields = ("code", "name_zh", "name_en", "proposes", "event_type", "mapping_state")
        read_only_fields = fields


class VersionSerializer(StrictModelSerializer):
    """A version with the fingerprints of its packages."""

    packages = serializers.SlugRelatedField(slug_field="fingerprint", many=True, read_only=True)

    class Meta:
        model = AlgorithmVersion
        fields = ("id", "version", "is_listed", "licence", "parameters", "statement", "packages")
        read_only_fields = fields


class AlgorithmSerializer(StrictModelSerializer):
    """An algorithm of the warehouse."""

    versions = VersionSerializer(many=True, read_only=True)
    items = ItemSerializer(many=True, read_only=True)

    class Meta:
        model = Algorithm
        fields = (
            "id", "slug", "name_zh", "name_en", "vendor", "industries", "targets", "places", "task", "versions",
            "items",
        )  # fmt: skip
        read_only_fields = fields


class PackageSerializer(StrictModelSerializer):
    """A package and the report of its check."""

    class Meta:
        model = AlgorithmPackage
        fields = (
            "id",
            "fingerprint",
            "platform",
            "runtime",
            "state",
            "report",
            "size",
            "file_name",
            "created_at",
        )
        read_only_fields = fields


class PackageUploadSerializer(StrictSerializer):
    """A zip of at most 1 GiB."""

    file = serializers.FileField(max_length=200)


class EventTypeSerializer(StrictModelSerializer):
    """A type of the platform's tree."""

    parent = serializers.CharField(source="parent.code", read_only=True, default=None)

    class Meta:
        model = EventType
        fields = (
            "id", "code", "parent", "name_zh", "name_en", "level", "review_policy", "validity_minutes", "national_code",
        )  # fmt: skip
        read_only_fields = fields
