"""S05: an endpoint on loopback, metadata or the platform's own services is refused when saved and when sent."""

from __future__ import annotations

import asyncio

import pytest
from django.conf import settings
from django.utils import translation

from apps.core.errors import Refusal
from apps.core.models import AuditRecord
from apps.core.outbound import policy as policies
from apps.core.outbound.client import GuardedClient
from apps.core.outbound.policy import OutboundPolicy
from apps.openapi.models import Attempt, Subscription
from tests.openapi import builders
from tests.support import factories

VECTORS = (
    "2130706433", "0x7f.1", "0x7f000001", "127.1", "017700000001", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "100.64.0.1", "192.0.0.8", "0.0.0.0", "0", "[::]", "169.254.169.254",
    "100.100.100.200", "[fe80::1]", "[fd00:ec2::254]", "224.0.0.1", "localhost", "localhost.",
)  # fmt: skip
NAMED = (
    "127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "100.64.0.1", "192.0.0.8", "0.0.0.0",
)  # fmt: skip
MALFORMED = (
    "ftp://example.org/", "file:///etc/passwd", "http://user:secret@example.org/", "http:///x", "http://exa mple.org/",
    "http://example.org\\@127.0.0.1/", "http://example.org#@127.0.0.1/", "http://①②⑦.0.0.1/", "gopher://x",
    "http://127.0.0.1%2f@example.org/", "http://example.org:99999/", "javascript:alert(1)", "//example.org", "",
)  # fmt: skip
WORDS = "not reachable or not permitted"


def _own_database() -> str:
    return f"http://127.0.0.1:{settings.DATABASES['default'].get('PORT') or 5432}/"


@pytest.mark.django_db
@pytest.mark.parametrize("url", [*(f"http://{host}:8080/hook" for host in VECTORS), *MALFORMED])
def test_s05_refused_when_saved(url: str, outbound_exact: list[str]) -> None:
    outbound_exact.append("127.0.0.1:18999")
    app = builders.app()
    with translation.override("en"), pytest.raises(Refusal) as refused:
        builders.subscription(app, url)
    assert refused.value.code == "endpoint_refused"
    assert WORDS in str(refused.value.message)
    assert WORDS in str(refused.value.fields["endpoint"])
    assert not Subscription.objects.exists()
    record = AuditRecord.objects.filter(action="endpoint.refused").get()
    assert record.detail["reason"]
    assert record.detail["reason"] not in str(refused.value.message)


@pytest.mark.django_db
def test_s05_own_services_are_refused_even_when_named(outbound_exact: list[str]) -> None:
    url = _own_database()
    outbound_exact.append(url.removeprefix("http://").rstrip("/"))
    with pytest.raises(Refusal):
        builders.subscription(builders.app(), url)
    assert AuditRecord.objects.get(action="endpoint.refused").detail["reason"] == "own service"


@pytest.mark.parametrize("address", NAMED)
def test_s05_a_name_that_resolves_to_it_is_refused(address: str) -> None:
    policy = OutboundPolicy(
        allow=(policies.AllowEntry.parse("10.0.0.0/8"),), resolver=lambda host: ["10.0.0.5", address]
    )
    answer = asyncio.run(_post(policy, "http://bureau.example/hook"))
    assert (answer.status, answer.error) == (None, "refused")


@pytest.mark.parametrize("host", VECTORS)
def test_s05_refused_by_the_client(host: str) -> None:
    answer = asyncio.run(_post(OutboundPolicy(resolver=lambda name: ["127.0.0.1"]), f"http://{host}:8080/"))
    assert (answer.status, answer.error) == (None, "refused")


@pytest.mark.django_db(transaction=True)
def test_s05_refused_when_sent_although_it_was_permitted_when_saved(outbound_exact: list[str]) -> None:
    from apps.events.signals import event_changed
    from tests.support.receiver import Receiver

    with Receiver() as receiver:
        outbound_exact.append(receiver.address)
        organisation = factories.organisation()
        builders.subscription(builders.app(organisation), receiver.url)
        event = builders.event(factories.camera(organisation))
        event_changed.send(sender=type(event), event=event, kind="raised", phase="new")
        outbound_exact.clear()
        builders.deliver()
        assert receiver.visits == []
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error, attempt.answer) == (None, "refused", "")
    assert AuditRecord.objects.get(action="endpoint.refused").detail["reason"] == "always denied range"


async def _post(policy: OutboundPolicy, url: str) -> object:
    async with GuardedClient(lambda: policy, deadline=5) as client:
        return await client.post(url, b"{}", {})
