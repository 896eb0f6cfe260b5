"""What grants cover, and the compiled access rows that `visible_to` reads."""

from __future__ import annotations

from django.db import models

from apps.accounts.choices import Action
from apps.accounts.models import Grant
from apps.core.models import IdModel, SealedQuerySet, SealedRow
from apps.devices.models.camera import Camera
from apps.devices.models.catalogue import Directory, Region
from apps.devices.querysets import AccessQuerySet


class CameraGrant(SealedRow, IdModel):
    """A grant covers one camera."""

    sealed_fields = ("grant_id", "camera_id")

    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="camera_links")
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="grant_links")

    objects = SealedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grant", "camera"], name="camera_grant_once")]


class DirectoryGrant(SealedRow, IdModel):
    """A grant covers a directory (fixed or growing, as the grant says)."""

    sealed_fields = ("grant_id", "directory_id")

    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="directory_links")
    directory = models.ForeignKey(Directory, on_delete=models.CASCADE, related_name="grant_links")

    objects = SealedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grant", "directory"], name="directory_grant_once")]


class RegionGrant(SealedRow, IdModel):
    """A grant covers a region and those below it."""

    sealed_fields = ("grant_id", "region_id")

    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="region_links")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="grant_links")

    objects = SealedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grant", "region"], name="region_grant_once")]


class CameraAccess(IdModel):
    """Compiled: this principal (organisation, user or App id) may do this on this camera in this window."""

    principal_id = models.UUIDField()
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="access")
    action = models.CharField(max_length=16, choices=Action.choices)
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="access")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField()
    history_from = models.DateTimeField()

    objects = AccessQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["principal_id", "camera", "action", "grant"], name="camera_access_once"
            )
        ]
        indexes = [
            models.Index(fields=["camera", "principal_id", "action", "valid_to"], name="camera_access_check"),
            models.Index(fields=["principal_id", "action", "valid_to"], name="camera_access_of"),
        ]
