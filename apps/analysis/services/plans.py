"""Plans: saved after their periods were understood."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.analysis.choices import PlanKind
from apps.analysis.models import Plan
from apps.analysis.selectors.plans import Period, PlanError
from apps.analysis.services.revision import bump_revision
from apps.core import audit
from apps.core.errors import NotFound, Refusal
from apps.core.wake import wake


@transaction.atomic
def save_plan(
    *,
    by: Principal,
    name: str,
    kind: str = PlanKind.ALL_DAY,
    periods: Iterable[Mapping[str, Any]] = (),
    is_shared: bool = False,
    plan: Plan | None = None,
) -> Plan:
    """Make a plan of the principal's organisation, or change one of it (code `bad_period`)."""
    by.must("tasks.manage")
    given = [dict(item) for item in periods]
    try:
        for item in given:
            Period.parse(item)
    except (PlanError, ValueError, TypeError) as error:
        words = _("A period is not right: %(reason)s") % {"reason": error}
        raise Refusal("bad_period", words, fields={"periods": words}) from None
    if kind == PlanKind.PERIODS and not given:
        words = _("A plan by periods needs at least one period.")
        raise Refusal("no_period", words, fields={"periods": words})
    if plan is not None and not Plan.objects.all().visible_to(by, "change").filter(pk=plan.pk).exists():
        raise NotFound("not_found", _("There is nothing here, or you may not see it."))
    row = plan or Plan(organisation_id=by.organisation_id)
    row.name, row.kind, row.periods, row.is_shared = name.strip(), kind, given, is_shared
    row.save()
    audit.record(by, "plan.save", row, owner_id=row.organisation_id)
    bump_revision()
    wake("analysis")
    return row
