"""Odd looking: what the ledger's watcher found."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import StampedModel
from apps.devices.choices import OddKind
from apps.devices.querysets import OddLookingQuerySet


class OddLooking(StampedModel):
    """A person looked oddly on one day: at one camera again and again, at night, or at very many.

    Names and ids are copied from the audit, so that the row outlives what it speaks of.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=OddKind.choices)
    day = models.DateField(_("day"))
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(_("who"), max_length=200)
    organisation_name = models.CharField(_("organisation"), max_length=200, blank=True)
    camera_id = models.CharField(max_length=64, blank=True, default="")
    camera_name = models.CharField(_("camera"), max_length=300, blank=True)
    looks = models.PositiveIntegerField(_("looks"))
    cameras = models.PositiveIntegerField(_("cameras"), default=0)
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))
    noted_at = models.DateTimeField(_("noted"), null=True, blank=True)
    noted_by_name = models.CharField(_("noted by"), max_length=200, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)

    objects = OddLookingQuerySet.as_manager()

    class Meta:
        verbose_name = _("odd looking")
        verbose_name_plural = _("odd looking")
        constraints = [
            models.UniqueConstraint(fields=["kind", "day", "actor_id", "camera_id"], name="odd_looking_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.actor_name} {self.day}"
