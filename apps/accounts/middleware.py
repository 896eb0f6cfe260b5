"""Who asks: resolved once per request or socket; sessions end, and steps stand before the pages."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.permissions import Principal, principal_of_user
from apps.accounts.services.sessions import LAST_SEEN, RIGHTS, Step, is_over, rights_stamp, step_before
from apps.core.rest import problem

Token = tuple[str | None, Any]


class PrincipalMiddleware:
    """`request.principal` is a Principal or None. Ends a session that is over, and lets nobody past a step.

    While a step is open (second factor, first password) the principal is None: pages lead to the step, the
    interface answers 403 with its code. Only what a person does keeps a session alive: a request that a page made
    by itself says so (`X-Background`), and pictures never count.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.step = None  # type: ignore[attr-defined]
        if request.user.is_authenticated and is_over(request.session):
            logout(request)
        principal = principal_of_user(request.user)
        if principal is not None:
            self._keep(request, principal)
            request.step = step_before(principal.user, request.session, principal.roles)  # type: ignore[attr-defined]
        request.principal = None if request.step else principal  # type: ignore[attr-defined]
        return self.get_response(request)

    def _keep(self, request: HttpRequest, principal: Principal) -> None:
        """Note activity once a minute; a changed role gets a new session key."""
        moment, session = int(time.time()), request.session
        if session.get(RIGHTS) != (stamp := rights_stamp(principal.roles)):
            if RIGHTS in session:
                session.cycle_key()
                rotate_token(request)
            session[RIGHTS] = stamp
        if not is_background(request) and moment - session.get(LAST_SEEN, 0) > 60:
            session[LAST_SEEN] = moment

    def process_view(
        self, request: HttpRequest, view: Any, arguments: Any, parameters: Any
    ) -> HttpResponse | None:
        """Whoever has a step to do is led there, whatever they asked for."""
        step = request.step  # type: ignore[attr-defined]
        name = request.resolver_match.view_name if request.resolver_match else ""
        if step is None or name in OPEN_TO_ALL or name in STEP_VIEWS[step]:
            return None
        target = reverse(STEP_VIEWS[step][0])
        if request.path.startswith("/api/"):
            return JsonResponse(problem(f"{step}_needed", str(STEP_WORDS[step]), 403), status=403)
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": target})
        if request.method == "GET" and not name.startswith("accounts:"):
            request.session["next"] = request.get_full_path()
        return redirect(target)


#: Pages that need nobody in particular.
OPEN_TO_ALL = frozenset({"login", "logout", "set_language", "healthz", "readyz"})
#: Where each step is done, and what belongs to it.
STEP_VIEWS: dict[Step, tuple[str, ...]] = {
    Step.SECOND_FACTOR: ("accounts:second-factor",),
    Step.ENROL: ("accounts:second-factor-enrol",),
    Step.PASSWORD: ("password_change",),
}
STEP_WORDS = {
    Step.SECOND_FACTOR: _("Give the code of your second factor first."),
    Step.ENROL: _("Set up a second factor first."),
    Step.PASSWORD: _("Choose your own password first."),
}


def is_background(request: HttpRequest) -> bool:
    """True for what a page asks by itself: refreshed figures, snapshots, pushed rows, pictures and videos."""
    by_itself = "X-Background" in request.headers
    return by_itself or request.headers.get("Sec-Fetch-Dest", "") in {"image", "video", "audio"}


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
        if session.get(SESSION_KEY) != str(user_id) or user_id not in users or is_over(session):
            continue
        if step_before(users[user_id], session, principals[user_id].roles):
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
