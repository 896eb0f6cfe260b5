"""Logins and logouts go to the audit trail; a login begins a session, five wrong passwords lock."""

from __future__ import annotations

from typing import Any

from apps.accounts.permissions import principal_of_user
from apps.accounts.services.alarms import tell_broken_seal
from apps.accounts.services.lockout import note_lockout
from apps.accounts.services.sessions import begin_session
from apps.core import audit


def on_login(sender: Any, request: Any, user: Any, **extra: Any) -> None:
    """A login that worked; its session starts with its own limits, and without a second factor."""
    meta = getattr(request, "META", {})
    begin_session(
        request.session, user=user, address=meta.get("REMOTE_ADDR", ""), agent=meta.get("HTTP_USER_AGENT", "")
    )
    audit.record(principal_of_user(user), "session.login", user, owner_id=user.organisation_id)


def on_logout(sender: Any, request: Any, user: Any, **extra: Any) -> None:
    """A logout."""
    if user is not None:
        audit.record(principal_of_user(user), "session.logout", user, owner_id=user.organisation_id)


def on_login_failed(sender: Any, credentials: dict[str, Any], **extra: Any) -> None:
    """A login that was refused; the password is not part of `credentials` here."""
    audit.record(None, "session.login", outcome="refused", name=str(credentials.get("username", ""))[:150])


def on_locked_out(sender: Any, username: Any, ip_address: Any, **extra: Any) -> None:
    """Too many wrong passwords on one account, or from one address."""
    note_lockout(username=str(username or ""), address=str(ip_address or ""))


def on_seal_broken(sender: Any, row: Any, **extra: Any) -> None:
    """A role or grant was made past the product."""
    tell_broken_seal(row)
