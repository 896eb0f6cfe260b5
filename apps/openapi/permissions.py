"""API keys: who asks when a system asks."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from apps.accounts.permissions import Principal
from apps.core import audit, clock
from apps.openapi.models import ApiKey

KEYWORD = "Bearer"


def key_digest(salt: str, secret: str) -> str:
    """Salted SHA-256 of the 256-bit random secret (fast on purpose: the secret cannot be guessed)."""
    return hashlib.sha256(f"{salt}:{secret}".encode()).hexdigest()


def principal_of_key(key: ApiKey) -> Principal:
    """The App behind the key: its organisation ∩ the key's scopes."""
    organisation = key.app.organisation
    return Principal(
        kind="app",
        id=key.app_id,
        name=key.app.name,
        organisation_id=organisation.pk,
        organisation_path=organisation.path,
        organisation_name=organisation.name,
        scopes=frozenset(key.scopes),
    )


def find_key(text: str) -> ApiKey | None:
    """The valid key of `vk_<prefix>_<secret>`; None for anything else."""
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != "vk":
        return None
    key = ApiKey.objects.select_related("app__organisation").filter(prefix=parts[1]).first()
    digest = key_digest(key.salt if key else "", parts[2])
    if key is None or not hmac.compare_digest(digest, key.digest):
        return None
    expired = key.expires_at is not None and key.expires_at <= clock.now()
    return None if expired or key.revoked_at is not None or not key.app.is_active else key


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer vk_…`. A key in the query string is refused, so that it cannot end in a log."""

    def authenticate(self, request: Any) -> tuple[Principal, ApiKey] | None:
        """Principal and key; None when no key was offered."""
        for value in request.query_params.values():
            if value.startswith("vk_"):
                raise AuthenticationFailed(
                    _("Send the key in the Authorization header, never in the URL. Replace this key.")
                )
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header.startswith(f"{KEYWORD} "):
            return None
        key = find_key(header[len(KEYWORD) + 1 :].strip())
        if key is None or not self._address_allowed(key, request):
            audit.record(None, "key.refused", outcome="refused", name=header[len(KEYWORD) + 1 :][:11])
            raise AuthenticationFailed(
                _("This key is not valid here. Check that it is current and used from its address.")
            )
        principal = principal_of_key(key)
        request._request.principal = principal
        if key.last_used_at is None or (clock.now() - key.last_used_at).total_seconds() > 60:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=clock.now())
        return principal, key

    def authenticate_header(self, request: Any) -> str:
        """What a 401 asks for."""
        return f'{KEYWORD} realm="vantage"'

    @staticmethod
    def _address_allowed(key: ApiKey, request: Any) -> bool:
        if not key.addresses:
            return True
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", "0.0.0.0"))  # noqa: S104
        return any(address in ipaddress.ip_network(entry, strict=False) for entry in key.addresses)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema names the key."""

    target_class = "apps.openapi.permissions.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """HTTP bearer."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "vk_<prefix>_<secret>"}
