"""The queue of raw events to run, and the trace of each run."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.devices.models import Camera
from apps.strategies.choices import TraceVerdict
from apps.strategies.models.strategy import StrategyVersion
from apps.strategies.querysets import TraceQuerySet


class PendingRun(models.Model):
    """A raw event that no strategy has judged yet; deleted in the transaction that stores its trace.

    `attempts` counts failures and the deaths of processes; `holder` is the advisory lock of the process that leases it.
    """

    raw_event = models.UUIDField(primary_key=True)
    camera_id = models.UUIDField()
    time = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    holder = models.BigIntegerField(null=True)
    fence = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "time"], name="pending_run_due"),
            models.Index(fields=["time", "raw_event"], name="pending_run_order"),
            models.Index(
                fields=["camera_id"], condition=models.Q(lease_until__isnull=False), name="pending_run_leased"
            ),
        ]


class Trace(models.Model):
    """策略回溯: the path of one raw event through one strategy version. `id` is made from both.

    `steps`: `[{"node", "component", "verdict", "reason", "detail", "us"}]` in order.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    raw_event = models.UUIDField()
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="+", db_index=False)
    version = models.ForeignKey(
        StrategyVersion, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    time = models.DateTimeField(_("time"))
    verdict = models.CharField(_("verdict"), max_length=16, choices=TraceVerdict.choices)
    component = models.CharField(max_length=64, blank=True)
    reason = models.CharField(_("reason"), max_length=64, blank=True)
    event_id = models.UUIDField(null=True, blank=True)
    steps = models.JSONField(default=list)
    organisations = ArrayField(models.UUIDField(), default=list)
    ran_at = models.DateTimeField()

    objects = TraceQuerySet.as_manager()

    class Meta:
        verbose_name = _("trace")
        verbose_name_plural = _("traces")
        indexes = [
            models.Index(fields=["raw_event"], name="trace_raw_event"),
            models.Index(fields=["camera", "time"], name="trace_camera_time"),
        ]
