"""S08: what a receiver answers cannot be used to read inside: 1 KB, cleaned, escaped, hidden for unnamed hosts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from apps.core.outbound import client as clients
from apps.core.outbound.client import GuardedClient, is_named_host
from apps.core.outbound.policy import AllowEntry, OutboundPolicy
from apps.events.signals import event_changed
from apps.openapi.models import Attempt, Delivery
from apps.openapi.services import send_test
from tests.attacks.test_s11_keys_in_the_database import _dump
from tests.openapi import builders
from tests.support import factories
from tests.support.receiver import Receiver, Reply

SECRET = "inner-secret-51f3"
HEADERS = {
    "set-cookie": f"sid={SECRET}",
    "x-internal-token": SECRET,
    "server": SECRET,
    "www-authenticate": SECRET,
}


def answered(receiver: Receiver, outbound_exact: list[str]) -> tuple[Any, Any]:
    """(organisation, subscription) after one delivery and one test message."""
    outbound_exact.append(receiver.address)
    organisation = factories.organisation()
    made = builders.subscription(builders.app(organisation), receiver.url)
    event = builders.event(factories.camera(organisation))
    event_changed.send(sender=type(event), event=event, kind="raised", phase="new")
    builders.deliver()
    return organisation, send_test(by=builders.SYSTEM, subscription=made.subscription)


@pytest.mark.django_db(transaction=True)
def test_s08_an_answer_of_a_host_that_is_not_named_is_not_stored(
    outbound_exact: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "is_named_host", lambda policy, address, port: False)
    with Receiver(Reply(500, body=SECRET.encode(), headers=HEADERS)) as receiver:
        _organisation, result = answered(receiver, outbound_exact)
    assert (result.body, result.status) == ("", 500)
    assert SECRET not in str(result.headers)
    assert SECRET not in _dump()


@pytest.mark.django_db(transaction=True)
def test_s08_headers_are_never_kept_and_the_page_escapes_the_rest(
    outbound_exact: list[str], client: Any
) -> None:
    body = b"<script>alert(1)</script>\x00\x1b[31m" + b"x" * 5000
    with Receiver(Reply(500, body=body, headers=HEADERS)) as receiver:
        organisation, result = answered(receiver, outbound_exact)
    assert SECRET not in _dump()
    assert set(result.headers) <= {"content-type", "content-length", "date", "retry-after"}
    attempts = Attempt.objects.all()
    assert all(len(one.answer) <= 1024 and "\x00" not in one.answer for one in attempts)
    assert any(one.answer.startswith("<script>") for one in attempts)
    user = factories.user(organisation, ("developer",))
    client.force_login(user)
    page = client.get(f"/openapi/deliveries/{Delivery.objects.get(kind='raised').pk}/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("allow", "named"),
    [("10.0.0.0/8", False), ("10.0.0.5", True), ("10.0.0.5/32:80", True), ("10.0.0.4/31", False)],
)
def test_s08_only_an_entry_of_one_address_names_a_host(allow: str, named: bool) -> None:
    policy = OutboundPolicy(allow=(AllowEntry.parse(allow),))
    assert is_named_host(policy, "10.0.0.5", 80) is named


def test_s08_only_the_beginning_of_an_answer_is_read() -> None:
    with Receiver(Reply(200, body=b"x" * 3_000_000)) as receiver:
        policy = OutboundPolicy(exact=frozenset({("127.0.0.1", receiver.port)}))

        async def ask() -> Any:
            async with GuardedClient(lambda: policy, deadline=5) as client:
                return await client.post(receiver.url, b"{}", {})

        answer = asyncio.run(ask())
    assert (answer.status, len(answer.body)) == (200, 1024)
