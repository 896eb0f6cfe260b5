"""Which age holds for whom, and changing it within the bounds of the site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Organisation
from apps.accounts.permissions import Principal
from apps.core import audit, clock, retention
from apps.core.errors import NotAllowed, NotFound, Refusal
from apps.core.retention import Batch
from apps.devices.models import RetentionRule

KEPT = {"audit": gettext_lazy("Audit records")}
"""Kinds that no job ever deletes; they are shown with their shortest age."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The age of a kind for one organisation. days None: kept for ever. `source`: whose rule; empty: the site's."""

    kind: str
    label: str | Promise
    minimum: int
    maximum: int | None
    days: int | None
    source: str
    is_site_wide: bool
    is_own: bool
    is_fixed: bool = False


def slots(kind: str) -> tuple[int, int | None, int | None]:
    """(shortest, longest, default) of a kind in days; the audit is never below 184."""
    shortest, longest, usual = settings.VANTAGE_RETENTION[kind]
    return (max(shortest, 184) if kind == "audit" else shortest), longest, usual


def before_of(days: int, moment: datetime | None = None) -> datetime:
    """What is older than this goes."""
    return (moment or clock.now()) - timedelta(days=days)


def _chain(organisation: Organisation) -> list[str]:
    step = organisation.steplen
    return [organisation.path[: step * depth] for depth in range(organisation.depth, 0, -1)]


def rules_for(organisation: Organisation) -> list[Rule]:
    """The age of every kind for this organisation: its own rule, the nearest above, or the site's default."""
    chain = _chain(organisation)
    rows = RetentionRule.objects.filter(organisation__path__in=chain).select_related("organisation")
    found = {(row.kind, row.organisation.path): row for row in rows}
    made = []
    for name, kind in retention.kinds.items():
        shortest, longest, usual = slots(name)
        row = next((found[name, path] for path in chain if (name, path) in found), None)
        made.append(
            Rule(
                name,
                kind.label,
                shortest,
                longest,
                row.days if row else usual,
                row.organisation.name if row else "",
                kind.is_site_wide,
                row is not None and row.organisation_id == organisation.pk,
            )
        )
    made += [
        Rule(name, label, slots(name)[0], None, None, "", True, False, True) for name, label in KEPT.items()
    ]
    return made


def _checked(by: Principal, kind: str, days: int) -> Organisation:
    by.must("retention.manage")
    if kind not in retention.kinds:
        raise NotFound("unknown_kind", _("There is no such kind."))
    organisation: Organisation = Organisation.objects.get(pk=by.organisation_id)
    if retention.kinds.get(kind).is_site_wide and organisation.depth > 1:
        raise NotAllowed(
            "site_wide_kind", _("This kind has one age for the whole site; an operator at its top sets it.")
        )
    shortest, longest, _usual = slots(kind)
    if days < shortest or (longest is not None and days > longest):
        words = _("Between %(shortest)d and %(longest)s days are allowed.") % {
            "shortest": shortest,
            "longest": longest if longest is not None else "∞",
        }
        raise Refusal("retention_out_of_bounds", words, fields={"days": words})
    return organisation


def preview(*, by: Principal, kind: str, days: int) -> Batch:
    """What the next run would delete if the age were `days`: of this organisation and those below without own rule."""
    organisation = _checked(by, kind, days)
    item = retention.kinds.get(kind)
    owners = None if item.is_site_wide else covered_by(organisation, kind)
    return item.find(before_of(days), owners)


def covered_by(organisation: Organisation, kind: str) -> list[UUID]:
    """This organisation and those below it that have no nearer rule of their own."""
    below = Organisation.objects.filter(path__startswith=organisation.path)
    nearer = RetentionRule.objects.filter(kind=kind, organisation__path__startswith=organisation.path)
    paths = list(nearer.exclude(organisation=organisation).values_list("organisation__path", flat=True))
    return [pk for pk, path in below.values_list("pk", "path") if not path.startswith(tuple(paths))]


@transaction.atomic
def set_rule(*, by: Principal, kind: str, days: int, reason: str = "") -> RetentionRule:
    """Set the age of a kind for the principal's organisation, within the site's bounds (`retention_out_of_bounds`)."""
    organisation = _checked(by, kind, days)
    row, made = RetentionRule.objects.select_for_update().get_or_create(
        organisation=organisation, kind=kind, defaults={"days": days, "reason": reason[:200]}
    )
    before: Any = None if made else row.days
    row.days, row.reason = days, reason[:200]
    row.save()
    audit.record(by, "retention.set", row, owner_id=organisation.pk, kind=kind, days=days, before=before)
    return row
