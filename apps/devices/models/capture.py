"""Captures: stored pictures of a camera at a moment."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import IdModel
from apps.devices.choices import MediaClass, MediaState
from apps.devices.models.camera import Camera
from apps.devices.querysets import CaptureQuerySet


class Capture(IdModel):
    """A clean original kept once (`frames/yyyy/mm/dd/<id>.jpg`); crops and overlays are made on demand.

    `id` is made from (camera, preset, time), so that writing it twice is one row.
    """

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="captures")
    preset = models.PositiveSmallIntegerField(default=0)
    time = models.DateTimeField(_("time"))
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    size = models.PositiveIntegerField(default=0)
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, blank=True)
    media_class = models.CharField(
        max_length=16, choices=MediaClass.choices, default=MediaClass.EVENT_PICTURE
    )
    media_state = models.CharField(
        max_length=16, choices=MediaState.choices, default=MediaState.STORED, db_default=MediaState.STORED
    )
    sealed_with = models.CharField(max_length=80, blank=True, default="", db_default="")
    stored_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    locked_until = models.DateTimeField(null=True, blank=True)

    objects = CaptureQuerySet.as_manager()

    class Meta:
        verbose_name = _("capture")
        verbose_name_plural = _("captures")
        indexes = [
            models.Index(fields=["camera", "-time"], name="capture_camera_time"),
            models.Index(
                fields=["media_class", "time"],
                condition=models.Q(deleted_at__isnull=True),
                name="capture_age",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.camera_id} {self.time:%F %T}"
