"""Making and ending grants."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.choices import Coverage, GranteeKind, GrantState
from apps.accounts.models import Grant, Organisation
from apps.accounts.permissions import Principal
from apps.accounts.signals import grant_changed
from apps.core import audit, clock
from apps.core.errors import Refusal
from apps.core.realtime.push import bump_epoch


@transaction.atomic
def give_grant(
    *,
    by: Principal,
    granted_by: Organisation,
    grantee_kind: GranteeKind,
    grantee_id: object,
    grantee_name: str,
    actions: Iterable[str],
    purpose: str,
    valid_from: datetime,
    valid_to: datetime,
    history_from: datetime | None = None,
    coverage: Coverage = Coverage.FIXED,
    requisition_reference: str = "",
) -> Grant:
    """Make a grant without links; the resource rooms add what it covers and compile the access."""
    if valid_to <= valid_from:
        raise Refusal(
            "grant_without_length", _("The end must lie after the beginning."), fields={"valid_to": ""}
        )
    grant = Grant.objects.create(
        grantee_kind=grantee_kind,
        grantee_id=grantee_id,
        grantee_name=grantee_name,
        granted_by_organisation=granted_by,
        actions=sorted(set(actions)),
        purpose=purpose,
        coverage=coverage,
        valid_from=valid_from,
        valid_to=valid_to,
        history_from=history_from or valid_from,
        requisition_reference=requisition_reference,
    )
    audit.record(by, "grant.give", grant, owner_id=granted_by.pk, actions=grant.actions, purpose=purpose)
    return grant


@transaction.atomic
def revoke_grant(*, by: Principal, grant: Grant, reason: str) -> Grant:
    """End a grant now: every new request fails at once, open sockets and players within 5 s."""
    row = Grant.objects.select_for_update().get(pk=grant.pk)
    if row.state == GrantState.REVOKED:
        return row
    row.state, row.valid_to = (
        GrantState.REVOKED,
        max(clock.now(), row.valid_from + (row.valid_to - row.valid_from) / 1e9),
    )
    row.save(update_fields=["state", "valid_to", "updated_at"])
    audit.record(by, "grant.revoke", row, owner_id=row.granted_by_organisation_id, reason=reason)
    grant_changed.send(sender=Grant, grant=row)
    bump_epoch()
    return row
