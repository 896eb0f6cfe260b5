"""S10: what is signed is the id, the moment and the raw bytes, and nothing else can be made to look like it."""

from __future__ import annotations

import base64
import json
import string
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from apps.core import clock
from apps.openapi.services.secrets import new_secret
from apps.openapi.services.signing import encode_body, signature, signed_headers

SECRET = new_secret()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(st.uuids(), st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_s10_any_public_library_verifies_the_raw_bytes(message: UUID, body: dict[str, Any]) -> None:
    raw = encode_body(body)
    headers = signed_headers([SECRET], message, clock.now(), raw)
    assert Webhook(SECRET).verify(raw, headers) == body
    assert encode_body(json.loads(raw)) == raw, "each attempt sends the same bytes"
    respaced = json.dumps(body, ensure_ascii=False, indent=1).encode()
    if respaced != raw:
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(respaced, headers)


@given(st.text(alphabet=string.printable, max_size=40))
def test_s10_an_id_of_other_characters_is_never_signed(text: str) -> None:
    try:
        UUID(text)
    except ValueError:
        with pytest.raises(ValueError):
            signature(SECRET, text, 1, b"{}")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["a.1", "msg.1700000000.{}", "019aa000-0000-7000-8000-00000000000.", ""])
def test_s10_dots_cannot_move_between_the_parts(text: str) -> None:
    with pytest.raises(ValueError):
        signature(SECRET, text, 1, b"{}")  # type: ignore[arg-type]


@given(st.binary(max_size=23))
def test_s10_short_secrets_sign_nothing(secret: bytes) -> None:
    text = "whsec_" + base64.b64encode(secret).decode()
    with pytest.raises(ValueError):
        signed_headers([text], UUID(int=1), datetime.now(UTC), b"{}")


@given(st.binary(min_size=24, max_size=64), st.binary(min_size=24, max_size=64))
def test_s10_another_secret_does_not_verify(first: bytes, second: bytes) -> None:
    if first == second:
        return
    one, other = ("whsec_" + base64.b64encode(secret).decode() for secret in (first, second))
    headers = signed_headers([one], UUID(int=1), clock.now(), b"{}")
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(b"{}", headers)
