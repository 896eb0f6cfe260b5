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
from apps.core import audit, clock
from apps.core.errors import NotAllowed

KIND = ".export"


def export_refusal(by: Principal, rows: int) -> str:
    """'' while `rows` more fit into the person's quota, else what to tell them."""
    used = Job.objects.filter(
        user_id=by.id, kind__endswith=KIND, created_at__gte=clock.now() - timedelta(days=1)
    ).aggregate(rows=Sum("total"))["rows"]
    left = max(0, settings.VANTAGE_EXPORT_ROWS - (used or 0))
    if rows <= left:
        return ""
    return _(
        "This export has %(rows)d rows, and of today's %(most)d you have %(left)d left. Narrow the filters, or wait "
        "until tomorrow."
    ) % {"rows": rows, "most": settings.VANTAGE_EXPORT_ROWS, "left": left}


def note_export(*, by: Principal, kind: str, rows: int, title: str, **detail: object) -> Job:
    """Count an export against the person's quota and record it; raises NotAllowed `export_quota`.

    `kind` is `<noun>.export`. The row stands in the person's task centre.
    """
    name = f"{kind}{KIND}"
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=by.id)  # two exports at once do not pass together
        refusal = export_refusal(by, rows)
        if not refusal:
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
    raise NotAllowed("export_quota", refusal)


def export_mark(by: Principal) -> str:
    """What each exported row carries: name, organisation, end of the account, minute (UTC)."""
    account = str(by.id).replace("-", "")[-6:]
    return f"{by.name} · {by.organisation_name} · {account} · {clock.now():%Y-%m-%dT%H:%MZ}"
