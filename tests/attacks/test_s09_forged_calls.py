"""S09: forged and replayed calls.

The platform has no inbound webhook yet; what a caller can forge are API keys, media links and, at the receiver, our
own messages: every flipped character is refused, and a message older or newer than 300 s does not verify.
"""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.test import Client
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from apps.core import clock
from apps.core.ids import uuid7
from apps.core.models import AuditRecord
from apps.devices.services import media_url, open_media
from apps.openapi.permissions import find_key
from apps.openapi.services import pause_subscription, signed_headers
from apps.openapi.services.secrets import new_secret
from tests.openapi import builders

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _flips(text: str) -> list[str]:
    """The text with each character replaced by another."""
    return [
        text[:index] + next(letter for letter in LETTERS if letter != text[index]) + text[index + 1 :]
        for index in range(len(text))
    ]


@pytest.mark.django_db
def test_s09_every_changed_character_of_a_key_is_refused() -> None:
    text = builders.key(None, "subscriptions:read").text
    assert find_key(text) is not None
    for forged in [*_flips(text), text[:-1], text + "a", "vk_", "vk__", "vk_" + "a" * 5000, "", "vk_é_x"]:
        assert find_key(forged) is None, forged


@pytest.mark.django_db
def test_s09_a_forged_key_answers_401_and_is_recorded_without_its_secret() -> None:
    text = builders.key(None, "subscriptions:read").text
    forged = text[:-1] + ("a" if text[-1] != "a" else "b")
    answer = Client().get("/api/v1/subscriptions", headers={"authorization": f"Bearer {forged}"})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"]
    record = AuditRecord.objects.get(action="key.refused")
    assert record.object_name == forged[:11]
    assert forged[12:] not in str(record.__dict__)


@pytest.mark.django_db
def test_s09_a_key_in_the_address_is_refused_even_when_it_is_valid() -> None:
    text = builders.key(None, "subscriptions:read").text
    for query in (f"key={text}", f"a=1&a={text}", f"a={text}&a=1"):
        assert Client().get(f"/api/v1/subscriptions?{query}").status_code == 401


@pytest.mark.django_db
def test_s09_media_links_cannot_be_forged_or_used_after_their_end(outbound_exact: list[str]) -> None:
    outbound_exact.append("127.0.0.1:9")
    row = builders.subscription(builders.app(), "http://127.0.0.1:9/").subscription
    path = media_url("capture", uuid7(), holder=("subscription", row.pk), seconds=60)
    token = path.rstrip("/").rpartition("/")[2]
    for forged in _flips(token)[::3]:
        assert open_media(forged, None) is None
    over = media_url("capture", uuid7(), holder=("subscription", row.pk), seconds=-1)
    assert open_media(over.rpartition("/")[2], None) is None
    assert Client().get(path).status_code == 404


@pytest.mark.django_db
def test_s09_a_link_asks_for_the_subscription_at_each_use(outbound_exact: list[str]) -> None:
    from apps.openapi.permissions import principal_of_subscription

    outbound_exact.append("127.0.0.1:9")
    row = builders.subscription(builders.app(), "http://127.0.0.1:9/").subscription
    assert principal_of_subscription(row.pk) is not None
    pause_subscription(by=builders.SYSTEM, subscription=row)
    assert principal_of_subscription(row.pk) is not None
    row.app.is_active = False
    row.app.save()
    assert principal_of_subscription(row.pk) is None
    row.delete()
    assert principal_of_subscription(row.pk) is None


def test_s09_a_changed_or_old_message_does_not_verify() -> None:
    secret, message, body = new_secret(), uuid7(), b'{"id":"x"}'
    good = signed_headers([secret], message, clock.now(), body)
    assert Webhook(secret).verify(body, good)
    for at in (-301, 301):
        headers = signed_headers([secret], message, clock.now() + timedelta(seconds=at), body)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)
    for index in range(len(body)):
        changed = body[:index] + bytes([body[index] ^ 1]) + body[index + 1 :]
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(changed, good, json_parse=False)
    for name, value in (("webhook-id", str(uuid7())), ("webhook-timestamp", str(int(time.time()) - 5))):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, {**good, name: value})


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", ""])
def test_s10_short_secrets_are_refused(secret: str) -> None:
    with pytest.raises(ValueError):
        signed_headers([secret], uuid7(), clock.now(), b"{}")
