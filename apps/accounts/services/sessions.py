"""Sessions: when they end, what still stands between a login and the pages, listing and ending one's own."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.accounts.choices import STAFF_ROLES
from apps.accounts.models import Session, User
from apps.accounts.permissions import Principal, principal_of_user
from apps.core import audit, clock
from apps.core.realtime.push import bump_epoch

LAST_SEEN = "last_seen"  # when a person last did something, seconds since 1970
BEGAN = "began"  # when the session was opened by a login
FACTOR = "second_factor_at"  # when the second factor was given
RIGHTS = "rights"  # the roles that this session's key was made for
ADDRESS = "address"
AGENT = "agent"


class Step(StrEnum):
    """What a logged-in person must do before anything else."""

    SECOND_FACTOR = "second_factor"
    ENROL = "enrol"
    PASSWORD = "password"  # noqa: S105 - a step, not a secret


def begin_session(session: Any, *, user: User, address: str, agent: str) -> None:
    """Note at login what the limits and the list of sessions need; the oldest beyond the limit end."""
    moment = int(time.time())
    session.update({BEGAN: moment, LAST_SEEN: moment, ADDRESS: address[:64], AGENT: agent[:200]})
    session[RIGHTS] = rights_stamp(user.role_bindings.values_list("role", flat=True))
    session.pop(FACTOR, None)
    session.save()
    limit = settings.VANTAGE_SESSIONS_PER_USER
    if limit:
        for one in sessions_of(user)[limit:]:
            _end(principal_of_user(user), user, [one.key], "too_many")


def rights_stamp(roles: Iterable[str]) -> str:
    """Changes whenever a role is given or taken."""
    return hashlib.sha256(",".join(sorted(roles)).encode()).hexdigest()[:16]


def is_over(session: Any) -> bool:
    """True when nobody did anything for VANTAGE_IDLE_SECONDS, or the login is VANTAGE_SESSION_SECONDS old.

    An open socket, a refreshed figure or a snapshot is nobody doing something.
    """
    moment = int(time.time())
    idle = moment - session.get(LAST_SEEN, moment) > settings.VANTAGE_IDLE_SECONDS
    return bool(idle or moment - session.get(BEGAN, 0) > settings.VANTAGE_SESSION_SECONDS)


def step_before(user: User, session: Any, roles: Iterable[str]) -> Step | None:
    """What this person must do first: give the second factor, set one up, choose a password; None = come in."""
    if user.has_second_factor:
        if FACTOR not in session:
            return Step.SECOND_FACTOR
    elif needs_second_factor(roles) and settings.VANTAGE_SECOND_FACTOR == "required":
        return Step.ENROL
    return Step.PASSWORD if user.must_change_password else None


def needs_second_factor(roles: Iterable[str]) -> bool:
    """Administrators, and whoever enters the Django admin."""
    return not STAFF_ROLES.isdisjoint(roles)


def is_asked_for_second_factor(principal: Principal | None) -> bool:
    """True where a note should ask this person to set one up (it is not required here)."""
    user = principal.user if principal else None
    return user is not None and not user.has_second_factor and needs_second_factor(principal.roles)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One open session as its owner sees it; `mark` names it without being able to open it."""

    key: str
    mark: str
    began: datetime
    last_seen: datetime
    address: str
    agent: str


def sessions_of(user: User) -> list[OpenSession]:
    """Open sessions, the one used last first."""
    rows = Session.objects.filter(user=user, expire_date__gt=clock.now())
    found = [_open(row.session_key, data) for row in rows if not is_over(data := row.get_decoded())]
    return sorted(found, key=lambda one: one.last_seen, reverse=True)


def _open(key: str, data: dict[str, Any]) -> OpenSession:
    began, seen = (datetime.fromtimestamp(data.get(name, 0), tz=UTC) for name in (BEGAN, LAST_SEEN))
    return OpenSession(key, mark_of(key), began, seen, data.get(ADDRESS, ""), data.get(AGENT, ""))


def mark_of(key: str | None) -> str:
    """Names a session on a page; the key itself never leaves its cookie."""
    return hashlib.sha256(f"session:{key}".encode()).hexdigest()[:24]


def end_sessions(
    *, by: Principal | None, user: User, marks: Iterable[str] | None = None, but: str = ""
) -> int:
    """End the sessions with these marks, or all; `but` is a key that stays. Their sockets close within 5 s."""
    chosen = None if marks is None else set(marks)
    keys = [
        row.session_key
        for row in Session.objects.filter(user=user)
        if row.session_key != but and (chosen is None or mark_of(row.session_key) in chosen)
    ]
    return _end(by, user, keys, "ended")


@transaction.atomic
def _end(by: Principal | None, user: User, keys: list[str], reason: str) -> int:
    gone, _rows = Session.objects.filter(session_key__in=keys).delete()
    if gone:
        audit.record(by, "session.end", user, owner_id=user.organisation_id, count=gone, reason=reason)
        bump_epoch()
    return gone
