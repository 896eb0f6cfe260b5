"""Gives each request an id and its address, for logs and audit."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.core.audit import RequestContext, request_context
from apps.core.errors import Refusal
from apps.core.ids import uuid7


class RequestContextMiddleware:
    """Sets `request.error_id` and the context that logs and audit records read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        identifier = uuid7().hex[-12:]
        request.error_id = identifier  # type: ignore[attr-defined]
        token = request_context.set(RequestContext(request.META.get("REMOTE_ADDR", ""), identifier))
        try:
            response = self.get_response(request)
        finally:
            request_context.reset(token)
        response["X-Request-Id"] = identifier
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A service's refusal as a page: what happened and what to do, with the status it carries."""
        if not isinstance(exception, Refusal):
            return None
        if exception.status == 404:
            return render(request, "errors/404.html", status=404)
        return render(request, "errors/refusal.html", {"refusal": exception.message}, status=exception.status)
