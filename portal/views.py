"""Pages without a room: health, metrics, errors."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from apps.core.wake import client
from apps.devices.services.storage import open_findings


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Alive: the process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Ready: database and broker answer; 503 names what does not."""
    parts = {"database": _database_answers(), "broker": _broker_answers()}
    ready = all(parts.values())
    words = {name: "ok" if good else "lost" for name, good in parts.items()}
    words["media"] = _media_state() if parts["database"] else "unknown"
    return JsonResponse({"status": "ok" if ready else "unavailable", **words}, status=200 if ready else 503)


def _media_state() -> str:
    """`ok`, or what the machines' media storage cannot keep. Pages work without: readiness does not depend on it."""
    return ",".join(dict.fromkeys(row.kind for row in open_findings())) or "ok"


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        return False
    return True


def _broker_answers() -> bool:
    try:
        return bool(client().ping())
    except Exception:
        return False


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics, for operators, a scraper on the same machine, or one in VANTAGE_METRICS_FROM."""
    principal = getattr(request, "principal", None)
    if not _is_scraper(request) and (principal is None or not principal.can("operations.view")):
        return page_not_found(request)
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _is_scraper(request: HttpRequest) -> bool:
    """One that reaches us directly: what came through a proxy came from anywhere."""
    if "HTTP_X_FORWARDED_FOR" in request.META:
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return address.is_loopback or any(address in ip_network(one) for one in settings.VANTAGE_METRICS_FROM)


def _error(request: HttpRequest, status: int) -> HttpResponse:
    context = {"error_id": getattr(request, "error_id", ""), "status": status}
    return render(request, f"errors/{status}.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400 as a page."""
    return _error(request, 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 as a page."""
    return _error(request, 403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404 as a page; a foreign object looks the same."""
    return _error(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500 as a page with the id that is in the log."""
    return _error(request, 500)
