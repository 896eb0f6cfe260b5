"""Regions, directories, place types and tags."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from apps.accounts.models import Organisation, User
from apps.core.models import IdModel, StampedModel
from apps.devices.choices import DirectoryKind, SharingClass, TagSource
from apps.devices.querysets import DirectoryQuerySet, OnCameraQuerySet, PublicQuerySet


class Region(StampedModel):
    """行政区划: 6-digit county → 9-digit street → 12-digit community → grid. The boundary is GeoJSON in WGS-84."""

    code = models.CharField(_("code"), max_length=32)
    version = models.PositiveIntegerField(_("version"), default=1)
    name = models.CharField(_("name"), max_length=100)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    boundary = models.JSONField(_("boundary"), null=True, blank=True)

    objects = PublicQuerySet.as_manager()

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="region_version")]

    def __str__(self) -> str:
        return self.name


class Directory(StampedModel):
    """资源目录: a tree of cameras; a camera hangs in several."""

    kind = models.CharField(_("kind"), max_length=16, choices=DirectoryKind.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="directories")
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="children"
    )
    name = models.CharField(_("name"), max_length=100)
    sharing_class = models.CharField(
        _("sharing class"), max_length=16, choices=SharingClass.choices, default=SharingClass.CONDITIONAL
    )
    order = models.PositiveIntegerField(default=0)
    cameras = models.ManyToManyField("devices.Camera", related_name="directories", blank=True)

    objects = DirectoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("directory")
        verbose_name_plural = _("directories")

    def __str__(self) -> str:
        return self.name


class DirectoryUserObjectPermission(UserObjectPermissionBase):
    """Timeless right of one person on a directory of their own organisation (read only inside visible_to)."""

    content_object = models.ForeignKey(Directory, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        indexes = [models.Index(fields=["user", "content_object"], name="directory_user_right")]


class DirectoryGroupObjectPermission(GroupObjectPermissionBase):
    """The same for a role group."""

    content_object = models.ForeignKey(Directory, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        indexes = [models.Index(fields=["group", "content_object"], name="directory_group_right")]


class PlaceType(IdModel):
    """场所分类: one dictionary of three levels for cameras, tags and packages."""

    code = models.CharField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=100)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )

    objects = PublicQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class TagTree(StampedModel):
    """标签树."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="tag_trees")
    name = models.CharField(_("name"), max_length=100)
    is_in_use = models.BooleanField(_("in use"), default=True)
    is_published = models.BooleanField(_("published"), default=False)

    objects = PublicQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Tag(IdModel):
    """标签: up to four levels inside a tree."""

    tree = models.ForeignKey(TagTree, on_delete=models.CASCADE, related_name="tags")
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="children"
    )
    name = models.CharField(_("name"), max_length=100)

    objects = PublicQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class CameraTag(StampedModel):
    """标注: a tag on a camera, with where it comes from."""

    camera = models.ForeignKey("devices.Camera", on_delete=models.CASCADE, related_name="camera_tags")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="camera_tags")
    source = models.CharField(max_length=8, choices=TagSource.choices, default=TagSource.MANUAL)
    confidence = models.FloatField(default=1.0)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = OnCameraQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["camera", "tag"], name="camera_tag_once")]

    def __str__(self) -> str:
        return str(self.tag)
