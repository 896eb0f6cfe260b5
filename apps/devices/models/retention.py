"""How long things are kept, what may not go, and what went."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organisation, User
from apps.core.models import IdModel, SealedRow, StampedModel
from apps.devices.models.camera import Camera
from apps.devices.querysets import DeletionQuerySet, ManagedQuerySet, OwnedQuerySet


class RetentionRule(StampedModel):
    """保存期: how many days an organisation and those below it keep a kind; without one the site's default holds."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="retention_rules", verbose_name=_("organisation")
    )
    kind = models.CharField(_("kind"), max_length=32)
    days = models.PositiveIntegerField(_("days"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention rules")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "kind"], name="retention_rule_once"),
            models.CheckConstraint(condition=Q(days__gte=1), name="retention_rule_days"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.days}"


class MediaLock(StampedModel):
    """锁定: nothing of this camera and time goes by age until `ends_at`, or until the lock is taken off."""

    camera = models.ForeignKey(
        Camera, on_delete=models.CASCADE, related_name="locks", verbose_name=_("camera")
    )
    frames_from = models.DateTimeField(_("frames from"))
    frames_to = models.DateTimeField(_("frames until"))
    reason = models.CharField(_("reason"), max_length=300)
    ends_at = models.DateTimeField(_("locked until"))
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    owner_name = models.CharField(_("locked by"), max_length=200)
    released_at = models.DateTimeField(_("taken off"), null=True, blank=True)

    objects = ManagedQuerySet.as_manager()

    class Meta:
        verbose_name = _("lock")
        verbose_name_plural = _("locks")
        indexes = [models.Index(fields=["camera", "ends_at"], name="media_lock_camera")]
        constraints = [
            models.CheckConstraint(condition=Q(frames_to__gt=F("frames_from")), name="media_lock_has_length")
        ]

    def __str__(self) -> str:
        return f"{self.camera} {self.frames_from:%F %T}"


class DeletionRecord(SealedRow, IdModel):
    """删除记录: one batch that went by age: what, how many, how old, by which rule, and a digest of the names.

    The organisation whose things went is copied; empty for what has none. Carries a keyed hash.
    """

    sealed_fields = (
        "kind",
        "organisation_id",
        "rule",
        "count",
        "size",
        "oldest",
        "newest",
        "digest",
        "deleted_at",
    )

    kind = models.CharField(_("kind"), max_length=32)
    organisation_id = models.CharField(max_length=64, blank=True, default="")
    organisation_name = models.CharField(_("organisation"), max_length=200, blank=True, default="")
    organisation_path = models.CharField(max_length=255, blank=True, default="")
    rule = models.CharField(_("rule"), max_length=200)
    count = models.PositiveBigIntegerField(_("count"))
    size = models.PositiveBigIntegerField(_("size"), default=0)
    oldest = models.DateTimeField(_("oldest"), null=True)
    newest = models.DateTimeField(_("newest"), null=True)
    digest = models.CharField(_("digest"), max_length=64)
    deleted_at = models.DateTimeField(_("deleted"))

    objects = DeletionQuerySet.as_manager()

    class Meta:
        verbose_name = _("deletion record")
        verbose_name_plural = _("deletion records")

    def __str__(self) -> str:
        return f"{self.kind}: {self.count}"
