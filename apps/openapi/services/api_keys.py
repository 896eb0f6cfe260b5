"""Making, revoking and rotating API keys."""

from __future__ import annotations

import ipaddress
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.core import audit, clock
from apps.core.errors import Conflict, NotAllowed, Refusal
from apps.openapi.choices import Scope
from apps.openapi.models import ApiKey, App
from apps.openapi.permissions import key_digest, must_manage

PREFIX_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `text` is shown once and stored nowhere."""

    key: ApiKey
    text: str

    def __repr__(self) -> str:
        return f"NewKey({self.key})"


@transaction.atomic
def create_api_key(
    *,
    by: Principal,
    app: App,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    addresses: Iterable[str] = (),
) -> NewKey:
    """Make a key. `scopes` ⊆ Scope, not empty; `addresses` are the networks it may be used from (none = anywhere)."""
    if by.kind == "app":
        raise NotAllowed("person_needed", _("Keys are made by a person, not by another key."))
    must_manage(by, app)
    wanted = _checked_scopes(scopes)
    networks = _checked_networks(addresses)
    if expires_at is not None and expires_at <= clock.now():
        words = _("The end must lie in the future.")
        raise Refusal("expires_in_past", words, fields={"expires_at": words})
    if not app.is_active:
        raise Conflict("app_inactive", _("The app is out of use. Put it in use first."))
    secret, salt = secrets.token_urlsafe(32), secrets.token_hex(16)
    key = ApiKey.objects.create(
        app=app,
        prefix="".join(secrets.choice(PREFIX_LETTERS) for _index in range(8)),
        salt=salt,
        digest=key_digest(salt, secret),
        scopes=wanted,
        addresses=networks,
        expires_at=expires_at,
    )
    audit.record(by, "key.create", key, owner_id=app.organisation_id, scopes=wanted, app=app.name)
    return NewKey(key, f"vk_{key.prefix}_{secret}")


@transaction.atomic
def revoke_api_key(*, by: Principal, key: ApiKey) -> ApiKey:
    """End a key now; every new request with it fails at once."""
    must_manage(by, key.app)
    row = ApiKey.objects.select_for_update().get(pk=key.pk)
    if row.revoked_at is None:
        row.revoked_at = clock.now()
        row.save(update_fields=["revoked_at", "updated_at"])
        audit.record(by, "key.revoke", row, owner_id=key.app.organisation_id, app=key.app.name)
    return row


@transaction.atomic
def rotate_api_key(*, by: Principal, key: ApiKey) -> NewKey:
    """A new key with the same scopes, addresses and end; the old one is revoked in the same moment."""
    if key.revoked_at is not None:
        raise Conflict("key_revoked", _("This key was revoked. Make a new one."))
    made = create_api_key(
        by=by, app=key.app, scopes=key.scopes, expires_at=key.expires_at, addresses=key.addresses
    )
    revoke_api_key(by=by, key=key)
    return made


def _checked_scopes(scopes: Iterable[str]) -> list[str]:
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown or not wanted:
        words = (
            _("Unknown scopes: %(scopes)s. There are: %(known)s.")
            % {"scopes": ", ".join(unknown), "known": ", ".join(Scope.values)}
            if unknown
            else _("Choose at least one scope.")
        )
        raise Refusal("scope_unknown" if unknown else "scope_missing", words, fields={"scopes": words})
    return wanted


def _checked_networks(addresses: Iterable[str]) -> list[str]:
    found = []
    for text in addresses:
        try:
            found.append(str(ipaddress.ip_network(text.strip(), strict=False)))
        except ValueError:
            words = _("“%(text)s” is not an address or network.") % {"text": text[:64]}
            raise Refusal("address_invalid", words, fields={"addresses": words}) from None
    return found
