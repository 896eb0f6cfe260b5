"""Sets `request.principal`: who asks, resolved once per request; ends idle sessions."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.accounts.models import User
from apps.accounts.permissions import Principal, principal_of_user

LAST_SEEN = "last_seen"
Token = tuple[str | None, Any]


class PrincipalMiddleware:
    """`request.principal` is a Principal or None; a session idle for VANTAGE_IDLE_SECONDS is logged out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self._end_idle(request)
        request.principal = principal_of_user(request.user)  # type: ignore[attr-defined]
        return self.get_response(request)

    def _end_idle(self, request: HttpRequest) -> None:
        if not request.user.is_authenticated:
            return
        moment = int(time.time())
        seen = request.session.get(LAST_SEEN, moment)
        if is_idle(request.session):
            logout(request)
        elif moment - seen > 60 or LAST_SEEN not in request.session:
            request.session[LAST_SEEN] = moment


def is_idle(session: Any) -> bool:
    """True when nothing was asked in this session for VANTAGE_IDLE_SECONDS; an open socket is no activity."""
    moment = int(time.time())
    return bool(moment - session.get(LAST_SEEN, moment) > settings.VANTAGE_IDLE_SECONDS)


class PrincipalSocketMiddleware:
    """ASGI: sets `scope["principal"]` from the session's user, and how to ask again (None once the session ended)."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        from channels.db import database_sync_to_async

        key = scope["session"].session_key if scope.get("session") is not None else None
        user_id = getattr(scope.get("user"), "pk", None)
        refresh = functools.partial(principal_of_session, key, user_id)
        scope = dict(
            scope,
            refresh_principal=refresh,
            principal=await database_sync_to_async(refresh)(),
            principal_token=(key, user_id),
            refresh_principals=principals_of_sessions,
        )
        return await self.app(scope, receive, send)


def principal_of_session(session_key: str | None, user_id: Any) -> Any:
    """The user's principal while that session would still answer a page; None once it ended.

    It ends by logout, expiry, idleness, a changed password, and when the user is put out of use.
    """
    return principals_of_sessions([(session_key, user_id)]).get((session_key, user_id))


def principals_of_sessions(tokens: Iterable[Token]) -> dict[Token, Principal]:
    """The principals of those (session key, user id) that would still answer a page, in four statements."""
    wanted = {token for token in tokens if token[0] and token[1] is not None}
    sessions = _sessions({key for key, _user in wanted})
    rows = User.objects.select_related("organisation").prefetch_related("role_bindings", "groups")
    users = {user.pk: user for user in rows.filter(pk__in={user for _key, user in wanted}, is_active=True)}
    principals = {pk: principal_of_user(user) for pk, user in users.items()}
    hashes = {
        pk: (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
        for pk, user in users.items()
    }
    found = {}
    for key, user_id in wanted:
        session = sessions.get(key, {})
        if session.get(SESSION_KEY) != str(user_id) or user_id not in users or is_idle(session):
            continue
        known = session.get(HASH_SESSION_KEY, "")
        if any(constant_time_compare(known, one) for one in hashes[user_id]):
            found[key, user_id] = principals[user_id]
    return found


def _sessions(keys: set[str]) -> dict[str, dict[str, Any]]:
    """The content of those sessions that have not expired; for the session engine that keeps rows, in one statement."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    rows = store.model.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return {row.session_key: store.decode(row.session_data) for row in rows}
