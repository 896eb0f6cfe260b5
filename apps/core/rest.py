"""What every API endpoint shares: principal, scopes, strict input, key-set pages, one problem shape (RFC 9457)."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import audit
from apps.core.audit import request_context
from apps.core.errors import Refusal
from apps.core.text import plain_text

logger = logging.getLogger(__name__)


def principal_of(request: Any) -> Any:
    """Who asks: set by the session middleware or by the key authentication; None for nobody."""
    return getattr(getattr(request, "_request", request), "principal", None)


class PrincipalSessionAuthentication(SessionAuthentication):
    """The portal's own pages use the API with their session; CSRF is enforced."""

    def authenticate_header(self, request: Request) -> str:
        """Answer 401 (not 403) to nobody."""
        return 'Session realm="vantage"'


class ScopePermission(BasePermission):
    """Somebody must ask; an App needs the scope the view names for the action (`scopes`), else it is refused."""

    def has_permission(self, request: Request, view: Any) -> bool:
        principal = principal_of(request)
        if principal is None:
            return False
        if principal.kind != "app":
            return True
        scopes: dict[str, str] = getattr(view, "scopes", {})
        needed = scopes.get(getattr(view, "action", None) or str(request.method).lower()) or scopes.get(
            "read" if request.method in {"GET", "HEAD", "OPTIONS"} else "write"
        )
        if needed is not None and needed in principal.scopes:
            return True
        audit.record(
            principal,
            "scope.refused",
            outcome="refused",
            owner_id=principal.organisation_id,
            name=request.path[:300],
            scope=needed,
            method=request.method,
        )
        return False


class KeysetPagination(CursorPagination):
    """Pages by key, newest first (ids are time-ordered), no counts; `limit` 1..200."""

    page_size = 50
    ordering = "-id"
    page_size_query_param = "limit"
    max_page_size = 200


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know, so that nothing can be assigned by accident."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            unknown = sorted(set(data) - writable)
            if unknown:
                raise serializers.ValidationError(
                    {name: [_("This field cannot be set.")] for name in unknown}
                )
            data = {name: plain_text(one) if isinstance(one, str) else one for name, one in data.items()}
        return super().to_internal_value(data)


class StrictModelSerializer(StrictSerializer, serializers.ModelSerializer[Any]):
    """The same for model serializers."""


class VisibleMixin:
    """Viewset mixin: rows come from `visible_to(principal, action)`; foreign rows answer 404."""

    visibility: ClassVar[str] = "view"
    request: Request
    queryset: Any

    def get_queryset(self) -> Any:
        """The rows this principal may see."""
        return self.queryset.all().visible_to(principal_of(self.request), self.visibility)


def problem(code: str, detail: str, http: int, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """An RFC 9457 problem: stable `code`, words for people, the error id that is also in the log."""
    body: dict[str, Any] = {
        "type": f"urn:vantage:problem:{code}",
        "title": _("The request was refused") if http < 500 else _("Something went wrong here"),
        "status": http,
        "code": code,
        "detail": detail,
        "error_id": request_context.get().request_id,
    }
    if fields:
        body["fields"] = fields
    return body


def _translate(error: Exception) -> tuple[str, str, int, dict[str, Any] | None]:
    if isinstance(error, Refusal):
        return (
            error.code,
            str(error.message),
            error.status,
            {k: [str(v)] for k, v in error.fields.items()} or None,
        )
    if isinstance(error, Http404 | ObjectDoesNotExist):
        return "not_found", _("There is nothing here, or you may not see it."), 404, None
    if isinstance(error, PermissionDenied):
        return "forbidden", _("You may not do this."), 403, None
    if isinstance(error, ValidationError):
        return "invalid", "; ".join(error.messages), 400, None
    if isinstance(error, exceptions.ValidationError):
        detail = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        return "invalid", _("Some fields are not right; see `fields`."), 400, dict(detail)
    if isinstance(error, exceptions.APIException):
        code = {401: "unauthenticated", 403: "forbidden", 404: "not_found"}.get(
            error.status_code, str(error.default_code)
        )
        words = (
            _("There is nothing here, or you may not see it.") if code == "not_found" else str(error.detail)
        )
        return code, words, error.status_code, None
    raise error


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF exception handler; an unexpected error is logged with its id and re-raised for the 500 page."""
    try:
        code, detail, http, fields = _translate(error)
    except Exception:
        return None
    headers = {}
    if isinstance(error, exceptions.APIException):
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
        if getattr(error, "wait", None):
            headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    response = Response(problem(code, detail, http, fields), status=http, headers=headers)
    response.content_type = "application/problem+json"
    return response


NO_CONTENT = status.HTTP_204_NO_CONTENT
