"""The audit trail: names and ids are copied, so a record outlives what it speaks of."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditRecord(models.Model):
    """One link of the keyed hash chain; rows are only ever added (a database trigger refuses the rest)."""

    seq = models.BigIntegerField(_("number"), primary_key=True)
    at = models.DateTimeField(_("time"), db_index=True)
    actor_kind = models.CharField(_("actor kind"), max_length=16)
    actor_id = models.CharField(max_length=64, blank=True, db_index=True)
    actor_name = models.CharField(_("actor"), max_length=200, blank=True)
    organisation_id = models.CharField(max_length=64, blank=True, db_index=True)
    organisation_name = models.CharField(_("organisation"), max_length=200, blank=True)
    action = models.CharField(_("action"), max_length=64, db_index=True)
    outcome = models.CharField(_("outcome"), max_length=16, default="done")
    object_kind = models.CharField(_("object kind"), max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True, db_index=True)
    object_name = models.CharField(_("object"), max_length=300, blank=True)
    owner_id = models.CharField(max_length=64, blank=True, db_index=True)
    address = models.CharField(_("address"), max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(_("detail"), default=dict)
    key_id = models.CharField(max_length=40)
    previous = models.CharField(max_length=64)
    mac = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("audit record")
        verbose_name_plural = _("audit records")
        ordering = ["-seq"]
        indexes = [models.Index(fields=["owner_id", "-seq"], name="audit_owner_seq")]

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"
