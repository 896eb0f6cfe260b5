"""What really runs: executions, capture slots and the hourly counters of their results."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.algorithms.models import AlgorithmPackage, AlgorithmVersion
from apps.analysis.choices import ExecutionState, Sampling, SlotState
from apps.analysis.models.scene import SceneRule
from apps.analysis.querysets import ExecutionQuerySet, SlotQuerySet
from apps.core.models import IdModel, StampedModel
from apps.devices.models import Camera


class Execution(StampedModel):
    """执行项: (camera, preset, version, rule, sampling), shared by every unit that fits, at the shortest interval.

    `key` is the SHA-256 of what must be equal for units to share; `spec` is what the engine is handed.
    """

    key = models.CharField(max_length=64, unique=True)
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="executions")
    preset = models.PositiveSmallIntegerField(default=0)
    version = models.ForeignKey(AlgorithmVersion, on_delete=models.PROTECT, related_name="executions")
    package = models.ForeignKey(AlgorithmPackage, on_delete=models.PROTECT, related_name="executions")
    rule = models.ForeignKey(
        SceneRule, on_delete=models.PROTECT, null=True, blank=True, related_name="executions"
    )
    sampling = models.CharField(max_length=16, choices=Sampling.choices)
    interval = models.FloatField()
    spec = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=ExecutionState.choices, default=ExecutionState.WAITING)
    state_reason = models.CharField(max_length=64, blank=True)
    node = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    last_outcome = models.CharField(max_length=16, blank=True)
    last_reason = models.CharField(max_length=64, blank=True)
    last_result_at = models.DateTimeField(null=True, blank=True)

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("execution")
        verbose_name_plural = _("executions")
        indexes = [models.Index(fields=["state", "sampling"], name="execution_state")]

    def __str__(self) -> str:
        return f"{self.camera_id} {self.version_id} {self.state}"


class CaptureSlot(models.Model):
    """抓图计划项: the unit of work; `id` is made from (camera, preset, planned time), so planning twice is one row.

    `executions` are due on this picture, `results` holds what each yielded
    (`{execution: {"outcome", "reason", "ms"}}`), `open` counts those without result. `frame` is a path in the
    node's frame store. A lease that ends is taken by another worker with a higher `fence`.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="slots", db_index=False)
    preset = models.PositiveSmallIntegerField(default=0)
    planned_at = models.DateTimeField(_("planned"))
    deadline = models.DateTimeField()
    executions = ArrayField(models.UUIDField())
    state = models.CharField(max_length=16, choices=SlotState.choices, default=SlotState.PLANNED)
    reason = models.CharField(max_length=64, blank=True)
    captured_at = models.DateTimeField(null=True, blank=True)
    frame = models.CharField(max_length=300, blank=True)
    node = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    open = models.PositiveIntegerField(default=0)
    results = models.JSONField(default=dict)
    capture_id = models.UUIDField(null=True, blank=True)

    objects = SlotQuerySet.as_manager()

    class Meta:
        verbose_name = _("capture slot")
        verbose_name_plural = _("capture slots")
        indexes = [
            models.Index(fields=["camera", "planned_at"], name="slot_camera_time"),
            models.Index(
                fields=["lease_until", "planned_at"],
                condition=models.Q(state__in=["planned", "leased"]) | models.Q(open__gt=0),
                name="slot_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.camera_id} {self.planned_at:%F %T} {self.state}"


class ExecutionHour(IdModel):
    """Counters of one execution in one hour; clear results are only counted."""

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="hours")
    hour = models.DateTimeField()
    hits = models.PositiveIntegerField(default=0)
    clears = models.PositiveIntegerField(default=0)
    not_analysed = models.PositiveIntegerField(default=0)
    reasons = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["execution", "hour"], name="execution_hour_once")]

    def __str__(self) -> str:
        return f"{self.execution_id} {self.hour:%F %H}"
