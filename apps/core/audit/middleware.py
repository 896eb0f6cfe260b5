"""What no service records by itself: a refused access, and a change that left no record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.core.audit.chain import note
from apps.core.audit.context import request_context

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: Unsafe requests that change nothing anybody answers for: the reader's language, holding an event open, trying out.
NO_CHANGE = frozenset(
    {"login", "logout", "set_language", "event-lock", "delivery-resend-preview", "notification-list"}
)


class AuditMiddleware:
    """Stands right inside the middleware that sets `request.principal`.

    403 and 404 about an object are `access.refused`: a foreign object answers like none, so both stand there.
    An unsafe request that worked and left no record is `page.change`, so that no change is missing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        recorded = request_context.get().recorded
        response = self.get_response(request)
        self._tell(request, response, recorded)
        return response

    def _tell(self, request: HttpRequest, response: HttpResponse, recorded: list[str]) -> None:
        principal = getattr(request, "principal", None)
        match = request.resolver_match
        if principal is None or match is None:
            return
        status = response.status_code
        if status == 403 or (status == 404 and match.kwargs):
            if not any(action.endswith(".refused") for action in recorded):
                self._note(request, "access.refused", "refused", status)
        elif request.method not in SAFE and status < 400 and not recorded and match.url_name not in NO_CHANGE:
            self._note(request, "page.change", "done", status)

    def _note(self, request: HttpRequest, action: str, outcome: str, status: int) -> None:
        match = request.resolver_match
        assert match is not None
        detail: dict[str, Any] = {"method": request.method, "status": status}
        if ids := {name: str(value)[:64] for name, value in match.kwargs.items() if name != "token"}:
            detail["ids"] = ids
        principal = request.principal  # type: ignore[attr-defined]
        note(principal, action, outcome=outcome, name=match.view_name, **detail)
