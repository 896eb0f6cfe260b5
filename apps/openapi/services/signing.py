"""Standard Webhooks: how a message is signed (https://github.com/standard-webhooks/standard-webhooks, v1)."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

USER_AGENT = "Vantage-Webhook/1"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def encode_body(body: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """The bytes that are signed and sent: JSON in UTF-8 with sorted keys, so that each attempt sends the same ones."""
    return _ENCODER.encode(body).encode()


def signature(secret: str, message: UUID, timestamp: int, body: bytes) -> str:
    """`v1,<base64 HMAC-SHA-256 of "id.timestamp.body">`; raises ValueError for a secret under 24 bytes.

    The id is a UUID and nothing else: a dot in it could make one message look like another.
    """
    if not isinstance(message, UUID):
        raise ValueError("the id of a message is a UUID")
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    if len(key) < 24:
        raise ValueError("a signing secret has at least 24 bytes")
    signed = f"{message}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def signed_headers(secrets: Iterable[str], message: UUID, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt; one signature per valid secret, newest first."""
    timestamp = int(at.timestamp())
    return {
        "content-type": CONTENT_TYPE,
        "user-agent": USER_AGENT,
        "webhook-id": str(message),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, message, timestamp, body) for secret in secrets),
    }
