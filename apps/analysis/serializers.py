"""API shapes of the analysis room."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.algorithms.models import AlgorithmVersion
from apps.analysis.choices import Sampling
from apps.analysis.models import AnalysisTask, AnalysisUnit, Plan, Scene, SceneRule
from apps.analysis.services.tasks import HIGHEST_PRIORITY
from apps.core.rest import StrictModelSerializer, StrictSerializer, principal_of
from apps.devices.models import Camera


class UnitSerializer(StrictModelSerializer):
    """One camera × algorithm version of a task, with its last result."""

    algorithm = serializers.CharField(source="version.algorithm.slug", read_only=True)
    version = serializers.CharField(source="version.version", read_only=True)
    state = serializers.CharField(source="execution.state", read_only=True, default="waiting")
    last_outcome = serializers.CharField(source="execution.last_outcome", read_only=True, default="")
    last_reason = serializers.CharField(source="execution.last_reason", read_only=True, default="")
    last_result_at = serializers.DateTimeField(
        source="execution.last_result_at", read_only=True, default=None
    )

    class Meta:
        model = AnalysisUnit
        fields = (
            "id", "camera", "preset", "algorithm", "version", "waiting_reason", "state", "last_outcome",
            "last_reason", "last_result_at",
        )  # fmt: skip
        read_only_fields = fields


class TaskSerializer(StrictModelSerializer):
    """A task without its units (see `/tasks/{id}/units`)."""

    organisation = serializers.CharField(source="organisation.code", read_only=True)

    class Meta:
        model = AnalysisTask
        fields = (
            "id", "name", "organisation", "kind", "source", "state", "state_reason", "plan", "sampling", "interval",
            "parameters", "priority", "is_preemptible", "valid_to", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class NewTaskSerializer(StrictSerializer):
    """What a new task needs. `versions` are `slug@version`; `submit` false keeps a draft."""

    name = serializers.CharField(max_length=200)
    cameras = serializers.PrimaryKeyRelatedField(many=True, queryset=Camera.objects.none())
    versions = serializers.ListField(child=serializers.CharField(max_length=130), allow_empty=False)
    plan = serializers.PrimaryKeyRelatedField(queryset=Plan.objects.none())
    sampling = serializers.ChoiceField(choices=Sampling.choices, default=Sampling.SNAPSHOT)
    interval = serializers.FloatField(default=60.0, min_value=0)
    parameters = serializers.DictField(default=dict)
    priority = serializers.IntegerField(default=0, min_value=0, max_value=HIGHEST_PRIORITY)
    is_preemptible = serializers.BooleanField(default=False)
    valid_to = serializers.DateTimeField(required=False, allow_null=True)
    submit = serializers.BooleanField(default=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        request = self.context.get("request")
        if request is not None:
            principal = principal_of(request)
            cameras = Camera.objects.all().visible_to(principal, "analyse")
            self.fields["cameras"].child_relation.queryset = cameras  # type: ignore[attr-defined]
            self.fields["plan"].queryset = Plan.objects.all().visible_to(principal)  # type: ignore[attr-defined]

    def validate_versions(self, value: list[str]) -> list[AlgorithmVersion]:
        """Listed versions only; `slug` alone is the newest listed one."""
        found = []
        for text in value:
            slug, _at, number = text.partition("@")
            rows = AlgorithmVersion.objects.filter(algorithm__slug=slug, is_listed=True).order_by("-pk")
            row = (rows.filter(version=number) if number else rows).first()
            if row is None:
                raise serializers.ValidationError(f"no listed algorithm version {text!r}")
            found.append(row)
        return found


class PlanSerializer(StrictModelSerializer):
    """A time plan (Asia/Shanghai)."""

    organisation = serializers.CharField(source="organisation.code", read_only=True)

    class Meta:
        model = Plan
        fields = ("id", "name", "organisation", "kind", "periods", "is_shared", "created_at", "updated_at")
        read_only_fields = fields


class SceneRuleSerializer(StrictModelSerializer):
    """The current rule of one owner."""

    algorithm = serializers.CharField(source="algorithm.slug", read_only=True)
    owner = serializers.CharField(source="owner.code", read_only=True)

    class Meta:
        model = SceneRule
        fields = ("id", "algorithm", "owner", "version", "regions", "lines", "parameters", "created_at")
        read_only_fields = fields


class SceneSerializer(StrictModelSerializer):
    """A camera's scene with the rules the caller may see."""

    rules = serializers.SerializerMethodField()

    class Meta:
        model = Scene
        fields = ("id", "camera", "preset", "address", "masks", "privacy_masks", "rules", "updated_at")
        read_only_fields = fields

    def get_rules(self, scene: Scene) -> list[dict[str, Any]]:
        """Current rules, visible ones only."""
        principal = principal_of(self.context["request"])
        rows = SceneRule.objects.all().visible_to(principal).filter(scene=scene, is_current=True)
        return list(SceneRuleSerializer(rows.select_related("algorithm", "owner"), many=True).data)
