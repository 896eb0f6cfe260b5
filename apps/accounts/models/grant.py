"""Grants: what crosses organisations or ends."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.choices import Action, Coverage, GranteeKind, GrantState
from apps.accounts.models.organisation import Organisation
from apps.accounts.querysets import GrantQuerySet
from apps.core.models import SealedRow, StampedModel


class Grant(SealedRow, StampedModel):
    """授权: who may do what, why, from when until when. The things it covers are link rows of their rooms.

    Frame times before `history_from` do not exist for the grantee. A grant whose keyed hash fails gives nothing.
    """

    sealed_fields = (
        "grantee_kind",
        "grantee_id",
        "granted_by_organisation_id",
        "actions",
        "purpose",
        "coverage",
        "valid_from",
        "valid_to",
        "history_from",
        "quota",
        "state",
        "requisition_reference",
    )

    grantee_kind = models.CharField(_("grantee kind"), max_length=16, choices=GranteeKind.choices)
    grantee_id = models.UUIDField(_("grantee"), db_index=True)
    grantee_name = models.CharField(_("grantee"), max_length=200)
    granted_by_organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="given_grants", verbose_name=_("given by")
    )
    actions = ArrayField(models.CharField(max_length=16, choices=Action.choices), verbose_name=_("actions"))
    purpose = models.CharField(_("purpose"), max_length=300)
    coverage = models.CharField(_("coverage"), max_length=8, choices=Coverage.choices, default=Coverage.FIXED)
    valid_from = models.DateTimeField(_("valid from"))
    valid_to = models.DateTimeField(_("valid to"))
    history_from = models.DateTimeField(_("history from"))
    quota = models.JSONField(_("quota"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=GrantState.choices, default=GrantState.ACTIVE)
    requisition_reference = models.CharField(_("requisition"), max_length=64, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [
            models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="grant_has_length")
        ]

    def __str__(self) -> str:
        return f"{self.grantee_name}: {', '.join(self.actions)}"
