"""The database is away for a moment: 503 with Retry-After, in the shape the caller understands, without a query."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from apps.core.rest import problem
from portal import views

RETRY_SECONDS = 5


def is_database_away(error: BaseException | None) -> bool:
    """Whether the cause of this error, or the cause of that, is a lost or refusing database."""
    while error is not None:
        if isinstance(error, OperationalError | InterfaceError):
            return True
        error = error.__cause__ or error.__context__
    return False


def server_error(request: HttpRequest) -> HttpResponse:
    """500 as a page with the id that is in the log; 503 while the database is away."""
    if is_database_away(sys.exc_info()[1]):
        return unavailable(request)
    return views.server_error(request)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Nothing was saved; the caller may try again."""
    identifier = getattr(request, "error_id", "")
    if request.path.startswith("/api/"):
        words = _(
            "The database is away for a moment. Nothing of this request was saved; try again in a few seconds."
        )
        response: HttpResponse = JsonResponse(
            problem("database_unavailable", words, 503) | {"error_id": identifier},
            status=503,
            content_type="application/problem+json",
        )
    else:
        response = HttpResponse(
            render_to_string("errors/503.html", {"error_id": identifier, "status": 503}), status=503
        )
    response["Retry-After"] = str(RETRY_SECONDS)
    return response
