"""Analysis tasks and their units."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organisation, User
from apps.algorithms.models import AlgorithmVersion
from apps.analysis.choices import Sampling, TaskKind, TaskSource, TaskState
from apps.analysis.models.plan import Plan
from apps.analysis.querysets import TaskQuerySet, UnitQuerySet
from apps.core.models import IdModel, StampedModel
from apps.devices.models import Camera


class AnalysisTask(StampedModel):
    """分析任务: cameras × algorithms × plan × sampling, for one organisation.

    Where a device is full, a higher `priority` takes the room of lower ones that are all `is_preemptible`.
    """

    name = models.CharField(_("name"), max_length=200)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="analysis_tasks")
    kind = models.CharField(_("kind"), max_length=16, choices=TaskKind.choices, default=TaskKind.REALTIME)
    source = models.CharField(_("source"), max_length=16, choices=TaskSource.choices, default=TaskSource.OWN)
    state = models.CharField(_("state"), max_length=16, choices=TaskState.choices, default=TaskState.DRAFT)
    state_reason = models.CharField(max_length=200, blank=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="tasks", verbose_name=_("plan"))
    sampling = models.CharField(
        _("sampling"), max_length=16, choices=Sampling.choices, default=Sampling.SNAPSHOT
    )
    interval = models.FloatField(_("interval in seconds"), default=60)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    cameras = models.ManyToManyField(Camera, related_name="analysis_tasks", verbose_name=_("cameras"))
    versions = models.ManyToManyField(AlgorithmVersion, related_name="tasks", verbose_name=_("algorithms"))
    priority = models.PositiveSmallIntegerField(_("priority"), default=0, db_default=0)
    is_preemptible = models.BooleanField(_("may be pre-empted"), default=False, db_default=False)
    valid_to = models.DateTimeField(_("analyse until"), null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    requisition_reference = models.CharField(max_length=64, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("analysis task")
        verbose_name_plural = _("analysis tasks")

    def __str__(self) -> str:
        return self.name


class AnalysisUnit(IdModel):
    """子任务: one demand, task × (camera, preset) × algorithm version; served by a shared execution."""

    task = models.ForeignKey(AnalysisTask, on_delete=models.CASCADE, related_name="units")
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="analysis_units")
    preset = models.PositiveSmallIntegerField(default=0)
    version = models.ForeignKey(AlgorithmVersion, on_delete=models.PROTECT, related_name="units")
    execution = models.ForeignKey(
        "analysis.Execution", on_delete=models.SET_NULL, null=True, blank=True, related_name="units"
    )
    waiting_reason = models.CharField(max_length=64, blank=True)

    objects = UnitQuerySet.as_manager()

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        constraints = [
            models.UniqueConstraint(fields=["task", "camera", "preset", "version"], name="analysis_unit_once")
        ]

    def __str__(self) -> str:
        return f"{self.camera} × {self.version}"
