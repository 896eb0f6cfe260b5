"""Scenes and the immutable versions of their rules."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organisation, User
from apps.algorithms.models import Algorithm
from apps.analysis.querysets import SceneQuerySet, SceneRuleQuerySet
from apps.core.models import IdModel, StampedModel
from apps.devices.models import Camera, Capture


class Scene(StampedModel):
    """场景: (camera, preset) with its reference picture, event address, masks and privacy masks (Region lists)."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="scenes")
    preset = models.PositiveSmallIntegerField(_("preset"), default=0)
    address = models.CharField(_("event address"), max_length=300, blank=True)
    reference = models.ForeignKey(Capture, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    masks = models.JSONField(_("masks"), default=list, blank=True)
    privacy_masks = models.JSONField(_("privacy masks"), default=list, blank=True)

    objects = SceneQuerySet.as_manager()

    class Meta:
        verbose_name = _("scene")
        verbose_name_plural = _("scenes")
        constraints = [models.UniqueConstraint(fields=["camera", "preset"], name="scene_once")]

    def __str__(self) -> str:
        return f"{self.camera} / {self.preset}"


class SceneRule(IdModel):
    """场景规则: scene × algorithm × owner; each save is a new version, rows never change but for `is_current`."""

    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="rules")
    algorithm = models.ForeignKey(Algorithm, on_delete=models.PROTECT, related_name="scene_rules")
    owner = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="scene_rules")
    version = models.PositiveIntegerField(_("version"), default=1)
    is_current = models.BooleanField(_("current"), default=True)
    regions = models.JSONField(_("regions"), default=list)
    lines = models.JSONField(_("lines"), default=list)
    parameters = models.JSONField(_("parameters"), default=dict)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = SceneRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("scene rule")
        verbose_name_plural = _("scene rules")
        constraints = [
            models.UniqueConstraint(
                fields=["scene", "algorithm", "owner", "version"], name="scene_rule_version"
            ),
            models.UniqueConstraint(
                fields=["scene", "algorithm", "owner"],
                condition=models.Q(is_current=True),
                name="scene_rule_one_current",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scene} {self.algorithm} v{self.version}"
