"""Cameras and the road to them: SourcePlatform → Device → Camera, identities, streams, presets."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, GistIndex, OpClass
from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organisation
from apps.core.models import IdModel, StampedModel
from apps.devices.choices import (
    CameraKind,
    CameraState,
    DataClass,
    IdentitySystem,
    SharingClass,
    StreamRole,
    Transport,
)
from apps.devices.models.catalogue import PlaceType, Region
from apps.devices.querysets import CameraQuerySet, ManagedQuerySet, OnCameraQuerySet, OwnedQuerySet


class SourcePlatform(StampedModel):
    """接入平台: where devices come from (own registration, a GB/T 28181 platform, …)."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="source_platforms")
    name = models.CharField(_("name"), max_length=100)
    protocol = models.CharField(_("protocol"), max_length=32, default="direct")

    objects = OwnedQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Device(StampedModel):
    """设备: one machine with one or more channels."""

    platform = models.ForeignKey(SourcePlatform, on_delete=models.PROTECT, related_name="devices")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="devices")
    name = models.CharField(_("name"), max_length=100)
    vendor = models.CharField(_("vendor"), max_length=100, blank=True)
    model = models.CharField(_("model"), max_length=100, blank=True)

    objects = OwnedQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Camera(StampedModel):
    """点位: one channel, with exactly one managing organisation that decides about sharing. Positions are WGS-84."""

    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=16, choices=CameraKind.choices, default=CameraKind.BULLET)
    device = models.ForeignKey(
        Device, on_delete=models.PROTECT, null=True, blank=True, related_name="cameras"
    )
    managing_organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="managed_cameras", verbose_name=_("managed by")
    )
    built_by = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    maintained_by = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, null=True, blank=True, related_name="cameras"
    )
    region_override_reason = models.CharField(max_length=200, blank=True)
    place_type = models.ForeignKey(
        PlaceType, on_delete=models.PROTECT, null=True, blank=True, related_name="cameras"
    )
    address = models.CharField(_("address"), max_length=300, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    sharing_class = models.CharField(
        _("sharing class"), max_length=16, choices=SharingClass.choices, default=SharingClass.CONDITIONAL
    )
    sharing_basis = models.CharField(_("basis"), max_length=300, blank=True)
    data_class = models.CharField(
        _("data class"), max_length=16, choices=DataClass.choices, default=DataClass.GENERAL
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    state = models.CharField(
        _("state"), max_length=16, choices=CameraState.choices, default=CameraState.UNKNOWN
    )
    state_cause = models.CharField(_("cause"), max_length=64, blank=True)
    state_since = models.DateTimeField(_("since"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    cover = models.CharField(max_length=200, blank=True)
    cover_at = models.DateTimeField(null=True, blank=True)
    search_text = models.TextField(blank=True, editable=False)
    is_demo = models.BooleanField(default=False, editable=False)

    objects = CameraQuerySet.as_manager()

    class Meta:
        verbose_name = _("camera")
        verbose_name_plural = _("cameras")
        indexes = [
            models.Index(fields=["managing_organisation", "id"], name="camera_managed"),
            models.Index(fields=["state", "id"], name="camera_state"),
            GistIndex(
                Func("longitude", "latitude", function="point"),
                name="camera_position",
            ),
            GinIndex(OpClass(Upper("search_text"), name="gin_trgm_ops"), name="camera_search"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(longitude__isnull=True) | Q(longitude__range=(-180, 180)), name="camera_longitude"
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True) | Q(latitude__range=(-90, 90)), name="camera_latitude"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CameraIdentity(IdModel):
    """编码: (system, code), many per camera, one primary."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="identities")
    system = models.CharField(_("system"), max_length=16, choices=IdentitySystem.choices)
    code = models.CharField(_("code"), max_length=64)
    is_primary = models.BooleanField(_("primary"), default=False)

    objects = OnCameraQuerySet.as_manager()

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [
            models.UniqueConstraint(fields=["system", "code"], name="identity_code"),
            models.UniqueConstraint(
                fields=["camera"], condition=Q(is_primary=True), name="identity_one_primary"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Stream(StampedModel):
    """码流: a URL. `address` holds no credentials; they are sealed in `credentials`."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="streams")
    role = models.CharField(_("role"), max_length=8, choices=StreamRole.choices, default=StreamRole.MAIN)
    address = models.CharField(_("address"), max_length=1000)
    credentials = models.TextField(blank=True, editable=False)
    transport = models.CharField(
        _("transport"), max_length=8, choices=Transport.choices, default=Transport.AUTO
    )
    codec = models.CharField(_("codec"), max_length=32, blank=True)
    width = models.PositiveIntegerField(_("width"), default=0)
    height = models.PositiveIntegerField(_("height"), default=0)
    frame_rate = models.FloatField(_("frame rate"), default=0)
    gop = models.PositiveIntegerField(_("keyframe interval"), default=0)
    clock_offset = models.FloatField(_("clock offset in seconds"), null=True, blank=True)
    probed_at = models.DateTimeField(null=True, blank=True)

    objects = ManagedQuerySet.as_manager()

    class Meta:
        verbose_name = _("stream")
        verbose_name_plural = _("streams")
        constraints = [models.UniqueConstraint(fields=["camera", "role"], name="stream_role")]

    def __str__(self) -> str:
        return f"{self.camera} {self.role}"


class Preset(IdModel):
    """预置点: a PTZ position; every camera has number 0 (the fixed or present picture)."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="presets")
    number = models.PositiveSmallIntegerField(_("number"), default=0)
    name = models.CharField(_("name"), max_length=100, blank=True)

    objects = OnCameraQuerySet.as_manager()

    class Meta:
        verbose_name = _("preset")
        verbose_name_plural = _("presets")
        constraints = [models.UniqueConstraint(fields=["camera", "number"], name="preset_number")]

    def __str__(self) -> str:
        return self.name or str(self.number)
