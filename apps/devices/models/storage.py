"""Findings about the media storage of a machine."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import StampedModel
from apps.devices.choices import StorageFault


class StorageFinding(StampedModel):
    """From when until when a machine could not keep all media; open while `ended_at` is empty.

    `value`: per cent of space left, or how many files wait for the store. For operations only: no page of a
    bureau reads it.
    """

    node = models.CharField(_("machine"), max_length=64)
    kind = models.CharField(_("kind"), max_length=16, choices=StorageFault.choices)
    value = models.FloatField(default=0)
    started_at = models.DateTimeField(_("since"))
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("storage finding")
        verbose_name_plural = _("storage findings")
        constraints = [
            models.UniqueConstraint(
                fields=["node", "kind"], condition=Q(ended_at__isnull=True), name="storage_finding_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.node} {self.kind}"
