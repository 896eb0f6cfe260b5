"""S06: a name that answers otherwise the second time: one resolution a request, its connection goes to what was vetted.

The fake resolver answers a public address first and 127.0.0.1 from then on. What the client connects to is seen where
aiohttp opens the socket, which the test leads to a receiver of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import connector
from django.utils import translation

from apps.core.errors import Refusal
from apps.core.models import AuditRecord
from apps.core.outbound.client import Answer, GuardedClient
from apps.core.outbound.policy import OutboundPolicy
from apps.core.outbound.settings import CameraPolicy
from apps.openapi.models import Attempt, Subscription
from tests.openapi import builders
from tests.support import factories
from tests.support.receiver import Receiver
from workers.vision.errors import SourceError
from workers.vision.sources import http
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.urls import validate_url

PUBLIC = "93.184.216.34"
NAME = "bureau.example"


class Rebinding:
    """A name server whose owner changes the answer after the first question."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers) or [[PUBLIC], ["127.0.0.1"]]
        self.asked = 0

    def __call__(self, host: str) -> list[str]:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]

    def policy(self, *exact: str) -> OutboundPolicy:
        """Everything public is open."""
        base = OutboundPolicy.build(allow=["0.0.0.0/0"], exact=exact)
        return OutboundPolicy(base.allow, base.exact, base.own_services, self)


@contextmanager
def public_machine(monkeypatch: pytest.MonkeyPatch, port: int) -> Iterator[list[str]]:
    """Connections to PUBLIC arrive at this port of the machine; the addresses that sockets were opened to."""
    opened: list[str] = []
    real = connector.aiohappyeyeballs.start_connection

    async def start(addr_infos: Any, **how: Any) -> Any:
        opened.extend(info[4][0] for info in addr_infos)
        family, kind, proto, name, address = addr_infos[0]
        target = ("127.0.0.1", port) if address[0] == PUBLIC else address
        return await real(addr_infos=[(family, kind, proto, name, target)], **how)

    with monkeypatch.context() as patch:
        patch.setattr(connector.aiohappyeyeballs, "start_connection", start)
        yield opened


def use(monkeypatch: pytest.MonkeyPatch, policy: OutboundPolicy) -> None:
    """Make it the installation's policy."""
    monkeypatch.setattr("apps.core.outbound.settings._built", lambda *_settings: policy)


def posted(policy: OutboundPolicy, port: int, times: int = 1) -> list[Answer]:
    """The answers of several requests through one client."""

    async def post() -> list[Answer]:
        async with GuardedClient(lambda: policy, deadline=5) as client:
            return [await client.post(f"http://{NAME}:{port}/hook", b"{}", {}) for _number in range(times)]

    return asyncio.run(post())


def test_s06_one_resolution_and_the_connection_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Rebinding()
    with Receiver() as receiver, public_machine(monkeypatch, receiver.port) as opened:
        (answer,) = posted(names.policy(), receiver.port)
        assert (answer.status, answer.error) == (204, "")
        assert receiver.visits[0].headers["host"] == f"{NAME}:{receiver.port}"
    assert (names.asked, opened) == (1, [PUBLIC])


def test_s06_the_next_request_asks_anew_and_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the connection to the public machine is still open."""
    names = Rebinding()
    with Receiver() as receiver, public_machine(monkeypatch, receiver.port) as opened:
        first, second, third = posted(names.policy(), receiver.port, 3)
        assert first.status == 204
        for answer in (second, third):
            assert (answer.status, answer.error, answer.reason) == (None, "refused", "always denied range")
        assert len(receiver.visits) == 1
    assert (names.asked, opened) == (3, [PUBLIC])


def test_s06_the_address_that_was_not_vetted_is_not_opened_even_where_it_is_permitted() -> None:
    """Both addresses may be used here, so that only the pin keeps the client from the second."""
    names = Rebinding(["127.0.0.1"], ["127.0.0.2"])
    with Receiver() as receiver:
        policy = names.policy(f"127.0.0.1:{receiver.port}", f"127.0.0.2:{receiver.port}")
        (answer,) = posted(policy, receiver.port)
        assert answer.status == 204
    assert names.asked == 1


@pytest.mark.parametrize(
    "answer", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, "::ffff:127.0.0.1"]]
)
def test_s06_both_in_one_answer_is_refused(answer: list[str]) -> None:
    (told,) = posted(Rebinding(answer).policy(), 8080)
    assert (told.status, told.error) == (None, "refused")


def test_s06_an_empty_answer_fails_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Rebinding([])
    with public_machine(monkeypatch, 1) as opened:
        (answer,) = posted(names.policy(), 8080)
    assert (answer.status, answer.error, answer.reason) == (None, "refused", "name does not resolve")
    assert (names.asked, opened) == (1, [])


@pytest.mark.django_db
def test_s06_an_endpoint_without_an_address_is_refused_when_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Rebinding([]).policy())
    with translation.override("en"), pytest.raises(Refusal) as refused:
        builders.subscription(builders.app(), f"http://{NAME}/hook")
    assert refused.value.code == "endpoint_refused"
    assert not Subscription.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_s06_public_when_saved_and_loopback_when_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.events.signals import event_changed

    names = Rebinding()
    use(monkeypatch, names.policy())
    with Receiver() as receiver:
        organisation = factories.organisation()
        builders.subscription(builders.app(organisation), f"http://{NAME}:{receiver.port}/hook")
        assert names.asked == 1
        event = builders.event(factories.camera(organisation))
        event_changed.send(sender=type(event), event=event, kind="raised", phase="new")
        builders.deliver()
        assert receiver.visits == []
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error) == (None, "refused")
    assert AuditRecord.objects.get(action="endpoint.refused").detail["reason"] == "always denied range"


def test_s06_a_camera_is_opened_at_the_vetted_address(monkeypatch: pytest.MonkeyPatch) -> None:
    names, opened = Rebinding(), []

    def away(address: tuple[str, int], **_how: Any) -> Any:
        opened.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(http.socket, "create_connection", away)
    policy, faults = CameraPolicy(names.policy()), []
    for _number in range(2):
        with pytest.raises(SourceError) as failed:
            http.open_http(
                validate_url("http://camera.example/live.flv"), policy=policy, options=SourceOptions()
            )
        faults.append(failed.value.fault.value)
    assert (names.asked, opened, faults) == (2, [PUBLIC], ["unreachable", "refused"])
