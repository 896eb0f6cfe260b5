"""Organisations: the tree of bureaus, districts, streets and companies."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node, MP_NodeManager

from apps.accounts.choices import OrganisationKind
from apps.accounts.querysets import OrganisationQuerySet
from apps.core.framing import MOST_ORIGINS, validate_origin
from apps.core.ids import uuid7


class OrganisationManager(MP_NodeManager.from_queryset(OrganisationQuerySet)):  # type: ignore[misc]
    """treebeard's manager answers with its own queryset; ours knows who may see."""

    def get_queryset(self) -> OrganisationQuerySet:
        """In order of the tree."""
        return OrganisationQuerySet(self.model, using=self._db).order_by("path")


class Organisation(MP_Node):
    """单位. `path` (materialised path) makes "mine and below" one prefix comparison."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=16, choices=OrganisationKind.choices)
    is_data_authority = models.BooleanField(_("data authority"), default=False)
    #: Whose portals may show the big screens of this organisation's people in a frame; nothing is inherited.
    framing_origins = ArrayField(
        models.CharField(max_length=270, validators=[validate_origin]),
        verbose_name=_("sites that may frame its big screens"),
        size=MOST_ORIGINS,
        default=list,
        db_default=[],
        blank=True,
        help_text=_(
            "For example https://portal.example.gov.cn, several separated by commas. Empty: none. Only a portal under "
            "this site's own domain shows anything: the session's cookie goes nowhere else."
        ),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = OrganisationManager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self) -> str:
        return self.name
