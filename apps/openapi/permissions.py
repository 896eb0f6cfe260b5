"""API keys: who asks when a system asks, and who may manage an App."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied

from apps.accounts.permissions import Principal
from apps.core import audit, clock
from apps.core.errors import NotAllowed, NotFound
from apps.openapi.choices import EndpointState, Scope, ServiceState
from apps.openapi.models import ApiKey, App, Service, Subscription

KEYWORD = "Bearer"


def key_digest(salt: str, secret: str) -> str:
    """Salted SHA-256 of the 256-bit random secret (fast on purpose: the secret cannot be guessed)."""
    return hashlib.sha256(f"{salt}:{secret}".encode()).hexdigest()


def principal_of_app(app: App, scopes: frozenset[str] = frozenset()) -> Principal:
    """The App as the one who asks: never more than its organisation."""
    organisation = app.organisation
    return Principal(
        kind="app",
        id=app.pk,
        name=app.name,
        organisation_id=organisation.pk,
        organisation_path=organisation.path,
        organisation_name=organisation.name,
        scopes=scopes,
    )


def principal_of_key(key: ApiKey) -> Principal:
    """The App behind the key: its organisation ∩ the key's scopes, less the services that are off line."""
    off_line = Service.objects.filter(state=ServiceState.OFF_LINE).values_list("scope", flat=True)
    return principal_of_app(key.app, frozenset(key.scopes) - frozenset(off_line))


def principal_of_subscription(identifier: UUID) -> Principal | None:
    """For whom a subscription's media links are opened; None once it ended or its App was put out of use."""
    row = (
        Subscription.objects.select_related("app__organisation")
        .filter(pk=identifier, app__is_active=True)
        .exclude(state=EndpointState.DISABLED)
        .first()
    )
    return principal_of_app(row.app) if row else None


def principal_of_live_app(identifier: UUID) -> Principal | None:
    """For whom an App's media links are opened; None once it was put out of use."""
    app = App.objects.select_related("organisation").filter(pk=identifier, is_active=True).first()
    return principal_of_app(app) if app else None


def must_manage(by: Principal, app: App) -> None:
    """Raise NotFound for a foreign App, NotAllowed for who may see but not manage it.

    A person needs `apps.manage`; an App manages only itself, with the scope `subscriptions:write`.
    """
    if not App.objects.visible_to(by).filter(pk=app.pk).exists():
        raise NotFound("not_found", _("There is nothing here, or you may not see it."))
    if by.kind != "app":
        by.must("apps.manage")
    elif Scope.SUBSCRIPTIONS_WRITE not in by.scopes:
        raise NotAllowed("scope_missing", _("The key does not hold the scope this needs."))


def find_key(text: str) -> ApiKey | None:
    """The key of `vk_<prefix>_<secret>` that was neither revoked nor put out of use; None for anything else."""
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != "vk" or not text.isascii():
        return None
    key = ApiKey.objects.select_related("app__organisation").filter(prefix=parts[1][:8]).first()
    digest = key_digest(key.salt if key else "", parts[2])
    if key is None or not hmac.compare_digest(digest, key.digest) or key.prefix != parts[1]:
        return None
    return None if key.revoked_at is not None or not key.app.is_active else key


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer vk_…`. A key in the query string is refused, so that it cannot end in a log.

    Unknown, forged or revoked keys answer 401; a true key past its end or used from another address answers 403.
    Each refusal is an audit record.
    """

    def authenticate(self, request: Any) -> tuple[Principal, ApiKey] | None:
        """Principal and key; None when no key was offered."""
        if any(value.startswith("vk_") for values in request.GET.lists() for value in values[1]):
            raise AuthenticationFailed(
                _("Send the key in the Authorization header, never in the URL. Replace this key.")
            )
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header.startswith(f"{KEYWORD} "):
            return None
        offered = header[len(KEYWORD) + 1 :].strip()
        key = find_key(offered)
        if key is None:
            audit.record(None, "key.refused", outcome="refused", name=offered[:11], reason="unknown")
            raise AuthenticationFailed(_("This key is not valid. Check that it is complete and current."))
        self._must_fit(key, request)
        principal = principal_of_key(key)
        request._request.principal = principal
        if key.last_used_at is None or (clock.now() - key.last_used_at).total_seconds() > 60:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=clock.now())
        return principal, key

    def authenticate_header(self, request: Any) -> str:
        """What a 401 asks for."""
        return f'{KEYWORD} realm="vantage"'

    def _must_fit(self, key: ApiKey, request: Any) -> None:
        if key.expires_at is not None and key.expires_at <= clock.now():
            reason, words = "expired", _("This key has expired. Ask for a new one.")
        elif not _address_allowed(key, request.META.get("REMOTE_ADDR", "")):
            reason, words = "address", _("This key may not be used from this address.")
        else:
            return
        audit.record(
            principal_of_app(key.app),
            "key.refused",
            key,
            outcome="refused",
            owner_id=key.app.organisation_id,
            reason=reason,
        )
        raise PermissionDenied(words)


def _address_allowed(key: ApiKey, text: str) -> bool:
    if not key.addresses:
        return True
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(entry, strict=False) for entry in key.addresses)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema names the key."""

    target_class = "apps.openapi.permissions.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """HTTP bearer."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "vk_<prefix>_<secret>"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema names the portal's own session."""

    target_class = "apps.core.rest.PrincipalSessionAuthentication"
    name = "Session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The session cookie."""
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
