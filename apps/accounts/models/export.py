"""Asking for more than the quota of exports."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.choices import RequisitionState
from apps.accounts.models.user import User
from apps.accounts.querysets import ExportRequisitionQuerySet
from apps.core.models import SealedRow, StampedModel


class ExportRequisition(SealedRow, StampedModel):
    """申请单: a person asks to take out `rows` more than the day's quota, somebody else decides, it serves once.

    Whoever decided is copied. A row whose keyed hash fails gives nothing.
    """

    sealed_fields = (
        "user_id",
        "rows",
        "reason",
        "state",
        "decider_id",
        "opinion",
        "decided_at",
        "valid_to",
        "used_at",
    )

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="export_requisitions", verbose_name=_("user")
    )
    rows = models.PositiveIntegerField(_("rows"))
    reason = models.CharField(_("reason"), max_length=300)
    state = models.CharField(
        _("state"), max_length=16, choices=RequisitionState.choices, default=RequisitionState.SUBMITTED
    )
    decider_id = models.UUIDField(_("decided by"), null=True, blank=True)
    decider_name = models.CharField(_("decided by"), max_length=200, blank=True, default="")
    opinion = models.CharField(_("opinion"), max_length=300, blank=True, default="")
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    valid_to = models.DateTimeField(_("valid to"), null=True, blank=True)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)

    objects = ExportRequisitionQuerySet.as_manager()

    class Meta:
        verbose_name = _("export requisition")
        verbose_name_plural = _("export requisitions")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(state="submitted"), name="export_requisition_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.rows}"
