"""Sets `request.principal`: who asks, resolved once per request; ends idle sessions."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

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
        if moment - seen > settings.VANTAGE_IDLE_SECONDS:
            logout(request)
        elif moment - seen > 60 or LAST_SEEN not in request.session:
            request.session[LAST_SEEN] = moment


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
    """The user's principal while the session still exists in the store; None after logout or deactivation."""
    if not session_key or user_id is None:
        return None
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not store().exists(session_key):
        return None
    user = User.objects.select_related("organisation").filter(pk=user_id, is_active=True).first()
    return principal_of_user(user) if user else None
