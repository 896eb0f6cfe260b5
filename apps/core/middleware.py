"""Gives each request an id and its address, for logs and audit."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.core.audit import RequestContext, request_context
from apps.core.errors import Refusal
from apps.core.ids import uuid7
from apps.core.text import plain_text


class ClientAddressMiddleware:
    """`REMOTE_ADDR` becomes the client's address as the site's own proxies saw it.

    X-Forwarded-For is read from the right, past the proxies of VANTAGE_PROXIES (networks) and only when the peer is
    one of them: whatever a client wrote there itself stands further left, and is never believed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.proxies = [ip_network(one, strict=False) for one in settings.VANTAGE_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self.proxies:
            said = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
            request.META["REMOTE_ADDR"] = self._client(request.META.get("REMOTE_ADDR", ""), said)
        return self.get_response(request)

    def _client(self, peer: str, said: list[str]) -> str:
        while self._is_proxy(peer) and said:
            before = said.pop().strip()
            if not _is_address(before):
                break
            peer = before
        return peer

    def _is_proxy(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in network for network in self.proxies)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


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


class PlainTextMiddleware:
    """Text of forms without control and direction characters; passwords stay as they were typed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *given: object) -> None:
        """After the check of the CSRF token, which reads the same form."""
        if request.method != "POST" or not (request.content_type or "").endswith(FORM_TYPES):
            return
        form = request.POST.copy()
        for name, values in request.POST.lists():
            if "password" not in name:
                form.setlist(name, [plain_text(value) for value in values])
        form._mutable = False
        request.POST = form  # type: ignore[assignment]


FORM_TYPES = ("/x-www-form-urlencoded", "/form-data")
