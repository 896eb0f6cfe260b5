"""Signing secrets of subscriptions: sealed at rest, shown once, two valid during a rotation."""

from __future__ import annotations

import base64
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from apps.accounts.permissions import Principal
from apps.core import audit, clock
from apps.core.crypto import provider
from apps.openapi.models import Subscription
from apps.openapi.permissions import must_manage

OVERLAP = timedelta(hours=24)
SECRET_BYTES = 32
PREFIX = "whsec_"


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64 (Standard Webhooks asks for 24 to 64)."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def add_secret(subscription: Subscription, text: str, moment: datetime) -> None:
    """Put `text` first on the (unsaved) row; the former first one ends after OVERLAP, older ones go."""
    name = secrets.token_hex(4)
    entry = {
        "id": name,
        "sealed": provider().encrypt(text, context=_context(subscription, name)),
        "made_at": moment.isoformat(),
        "valid_until": None,
    }
    former = [{**old, "valid_until": (moment + OVERLAP).isoformat()} for old in subscription.secrets[:1]]
    subscription.secrets = [entry, *former]


def open_secrets(subscription: Subscription) -> list[str]:
    """The secrets that sign now, newest first."""
    moment = clock.now()
    return [
        provider().decrypt(entry["sealed"], context=_context(subscription, entry["id"]))
        for entry in subscription.secrets
        if entry["valid_until"] is None or datetime.fromisoformat(entry["valid_until"]) > moment
    ]


@transaction.atomic
def rotate_secret(*, by: Principal, subscription: Subscription) -> str:
    """A new secret (returned once); for 24 h messages carry a signature by each."""
    must_manage(by, subscription.app)
    row = Subscription.objects.select_for_update().get(pk=subscription.pk)
    text = new_secret()
    add_secret(row, text, clock.now())
    row.save(update_fields=["secrets", "updated_at"])
    audit.record(by, "subscription.rotate", row, owner_id=subscription.app.organisation_id)
    return text


def secret_facts(subscription: Subscription) -> list[dict[str, Any]]:
    """What a page may show of the secrets: when each was made and until when it signs."""
    return [
        {
            "made_at": datetime.fromisoformat(entry["made_at"]),
            "valid_until": datetime.fromisoformat(entry["valid_until"]) if entry["valid_until"] else None,
        }
        for entry in subscription.secrets
    ]


def not_under_present_key() -> QuerySet[Subscription]:
    """Rows with a secret that is not sealed by the present key, for `core.rotation`."""
    entry = f'"sealed": "(?!{re.escape(provider().prefix)})'
    return Subscription.objects.alias(_text=Cast("secrets", TextField())).filter(_text__regex=entry)


def resealed(subscription: Subscription) -> list[dict[str, Any]]:
    """Its secrets under the present key."""
    keys = provider()
    made = []
    for entry in subscription.secrets:
        context = _context(subscription, entry["id"])
        plain = keys.decrypt(entry["sealed"], context=context)
        made.append({**entry, "sealed": keys.encrypt(plain, context=context)})
    return made


def _context(subscription: Subscription, name: str) -> str:
    return f"openapi_subscription.secrets:{subscription.pk}:{name}"
