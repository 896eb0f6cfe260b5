"""Logins and logouts go to the audit trail."""

from __future__ import annotations

from typing import Any

from apps.accounts.permissions import principal_of_user
from apps.core import audit


def on_login(sender: Any, request: Any, user: Any, **extra: Any) -> None:
    """A login that worked."""
    audit.record(principal_of_user(user), "session.login", user, owner_id=user.organisation_id)


def on_logout(sender: Any, request: Any, user: Any, **extra: Any) -> None:
    """A logout."""
    if user is not None:
        audit.record(principal_of_user(user), "session.logout", user, owner_id=user.organisation_id)


def on_login_failed(sender: Any, credentials: dict[str, Any], **extra: Any) -> None:
    """A login that was refused; the password is not part of `credentials` here."""
    audit.record(None, "session.login", outcome="refused", name=str(credentials.get("username", ""))[:150])
