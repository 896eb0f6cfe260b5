"""What follows a password: its change by the owner, a first one set by somebody else."""

from __future__ import annotations

from django.db import transaction

from apps.accounts.models import User
from apps.accounts.permissions import Principal
from apps.accounts.services.sessions import end_sessions
from apps.core import audit


@transaction.atomic
def password_changed(*, by: Principal | None, user: User, keep_session: str = "") -> None:
    """After a change: the owner's own choice ends the duty to change, and every other session ends.

    A password that somebody else set must be changed at the next login.
    """
    own = by is not None and by.id == user.pk
    user.must_change_password = not own
    user.save(update_fields=["must_change_password"])
    audit.record(by, "password.change" if own else "password.set", user, owner_id=user.organisation_id)
    end_sessions(by=by, user=user, but=keep_session)
