"""Sets `request.principal`: who asks, resolved once per request; ends idle sessions."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from apps.accounts.models import User
from apps.accounts.permissions import principal_of_user

LAST_SEEN = "last_seen"


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
        scope = dict(scope, refresh_principal=refresh, principal=await database_sync_to_async(refresh)())
        return await self.app(scope, receive, send)


def principal_of_session(session_key: str | None, user_id: Any) -> Any:
    """The user's principal while that session would still answer a page; None once it ended.

    It ends by logout, expiry, idleness, a changed password, and when the user is put out of use.
    """
    if not session_key or user_id is None:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key).load()
    if session.get(SESSION_KEY) != str(user_id) or is_idle(session):
        return None
    user = User.objects.select_related("organisation").filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    known = session.get(HASH_SESSION_KEY, "")
    valid = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return principal_of_user(user) if any(constant_time_compare(known, one) for one in valid) else None
