"""Raw events."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.algorithms.models import DetectionItem, EventType
from apps.devices.models import Camera
from apps.events.querysets import RawEventQuerySet


class RawEvent(models.Model):
    """原始事件: what an execution reports. Partitioned; `id` is made from (execution, frame time, item, ordinal).

    `targets` is the list of Detection dicts; `units` and `organisations` are those it serves.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    execution_id = models.UUIDField()
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="raw_events", db_index=False)
    preset = models.PositiveSmallIntegerField(default=0)
    item = models.ForeignKey(DetectionItem, on_delete=models.PROTECT, related_name="+", db_index=False)
    event_type = models.ForeignKey(
        EventType, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    time = models.DateTimeField(_("time"))
    ordinal = models.PositiveSmallIntegerField(default=0)
    targets = models.JSONField(default=list)
    score = models.FloatField(default=0)
    capture_id = models.UUIDField(null=True, blank=True)
    slot_id = models.UUIDField(null=True, blank=True)
    units = ArrayField(models.UUIDField(), default=list)
    organisations = ArrayField(models.UUIDField(), default=list)
    package_fingerprint = models.CharField(max_length=64)
    rule_id = models.UUIDField(null=True, blank=True)
    context = models.JSONField(default=dict)
    recorded_at = models.DateTimeField()

    objects = RawEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("raw event")
        verbose_name_plural = _("raw events")
        indexes = [
            models.Index(fields=["camera", "time"], name="raw_camera_time"),
            BrinIndex(fields=["time"], name="raw_time_brin"),
        ]

    def __str__(self) -> str:
        return f"{self.camera_id} {self.time:%F %T}"
