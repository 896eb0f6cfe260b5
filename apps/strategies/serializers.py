"""API shapes of strategies and traces; all read-only."""

from __future__ import annotations

from rest_framework import serializers

from apps.core.rest import StrictModelSerializer
from apps.strategies.models import Strategy, StrategyBinding, StrategyVersion, Trace


class StrategyVersionSerializer(StrictModelSerializer):
    """A published graph."""

    class Meta:
        model = StrategyVersion
        fields = ("id", "number", "graph", "created_at")
        read_only_fields = fields


class StrategyBindingSerializer(StrictModelSerializer):
    """Where a version runs. `event_types` are codes; with `covers_all_event_types` they do not count."""

    version = serializers.IntegerField(source="version.number", read_only=True)
    event_types = serializers.SlugRelatedField(slug_field="code", many=True, read_only=True)

    class Meta:
        model = StrategyBinding
        fields = (
            "id",
            "version",
            "scope",
            "query",
            "plan",
            "covers_all_event_types",
            "event_types",
            "is_active",
        )
        read_only_fields = fields


class StrategySerializer(StrictModelSerializer):
    """A strategy with its versions and bindings."""

    organisation = serializers.CharField(source="organisation.code", read_only=True)
    versions = StrategyVersionSerializer(many=True, read_only=True)
    bindings = StrategyBindingSerializer(many=True, read_only=True)

    class Meta:
        model = Strategy
        fields = (
            "id", "organisation", "name", "description", "state", "is_shared", "versions", "bindings", "created_at",
            "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class TraceSerializer(StrictModelSerializer):
    """The path of one raw event through one strategy version."""

    strategy = serializers.UUIDField(
        source="version.strategy_id", read_only=True, allow_null=True, default=None
    )
    strategy_version = serializers.IntegerField(
        source="version.number", read_only=True, allow_null=True, default=None
    )
    event = serializers.UUIDField(source="event_id", read_only=True, allow_null=True)
    verdict = serializers.CharField(read_only=True, help_text="raised, merged, stopped or failed")

    class Meta:
        model = Trace
        fields = (
            "id", "raw_event", "camera", "strategy", "strategy_version", "time", "verdict", "component", "reason",
            "event", "steps", "ran_at",
        )  # fmt: skip
        read_only_fields = fields
