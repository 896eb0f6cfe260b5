"""Health findings of cameras."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import StampedModel
from apps.devices.choices import HealthKind
from apps.devices.models.camera import Camera
from apps.devices.querysets import OnCameraQuerySet


class HealthFinding(StampedModel):
    """视频质量诊断: from when until when a camera had this fault; open while `ended_at` is empty."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(_("kind"), max_length=16, choices=HealthKind.choices)
    value = models.FloatField(default=0)
    started_at = models.DateTimeField(_("since"))
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)

    objects = OnCameraQuerySet.as_manager()

    class Meta:
        verbose_name = _("health finding")
        verbose_name_plural = _("health findings")
        constraints = [
            models.UniqueConstraint(
                fields=["camera", "kind"], condition=Q(ended_at__isnull=True), name="finding_open_once"
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
