"""How much one person may take out: rows of all exports of the last 24 hours together."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from apps.accounts.choices import JobState
from apps.accounts.models import Job, User
from apps.accounts.permissions import Principal
from apps.accounts.services.export_requisitions import approved_for, use_up
from apps.core import audit, clock
from apps.core.errors import NotAllowed

KIND = ".export"


def rows_left(by: Principal) -> int:
    """How many rows the person may still take out today by the quota alone."""
    used = Job.objects.filter(
        user_id=by.id, kind__endswith=KIND, created_at__gte=clock.now() - timedelta(days=1)
    ).aggregate(rows=Sum("total"))["rows"]
    return max(0, settings.VANTAGE_EXPORT_ROWS - (used or 0))


def note_export(*, by: Principal, kind: str, rows: int, title: str, **detail: object) -> Job:
    """Count an export against the person's quota and record it; raises NotAllowed `export_quota`.

    What the quota does not cover an approved request does, once. `kind` is `<noun>.export`. The row stands in the
    person's task centre.
    """
    name = f"{kind}{KIND}"
    with transaction.atomic():
        person = User.objects.select_for_update(of=("self",)).get(
            pk=by.id
        )  # two at once do not pass together
        left = rows_left(by)
        approval = approved_for(person, rows - left) if rows > left else None
        if rows <= left or approval is not None:
            if approval is not None:
                use_up(approval)
                detail["requisition"] = str(approval.pk)
            audit.record(by, name, owner_id=by.organisation_id, name=title, rows=rows, **detail)
            return Job.objects.create(
                user_id=by.id,
                kind=name,
                title=title,
                state=JobState.DONE,
                done=rows,
                total=rows,
                result=detail,
            )
    audit.record(by, name, outcome="refused", owner_id=by.organisation_id, name=title, rows=rows, **detail)
    raise NotAllowed("export_quota", _refusal(rows, left))


def _refusal(rows: int, left: int) -> str:
    return _(
        "This export has %(rows)d rows, and of today's %(most)d you have %(left)d left. Narrow the filters, wait "
        "until tomorrow, or ask for more on your account page."
    ) % {"rows": rows, "most": settings.VANTAGE_EXPORT_ROWS, "left": left}


def export_mark(by: Principal) -> str:
    """What each exported row carries: name, organisation, end of the account, minute (UTC)."""
    account = str(by.id).replace("-", "")[-6:]
    return f"{by.name} · {by.organisation_name} · {account} · {clock.now():%Y-%m-%dT%H:%MZ}"
