"""The chain page, health and metrics."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import SYSTEM
from apps.core import clock
from apps.core.wake import client as client_of_broker
from apps.dispatch.registry import links
from apps.dispatch.services import heartbeat
from apps.dispatch.views import chain_links
from tests.support import factories

pytestmark = pytest.mark.django_db
ORDER = ["fetch", "decode", "queue", "inference", "strategy", "event", "push"]


def client(role: str = "maintainer") -> Client:
    client_ = Client()
    client_.force_login(factories.user(roles=(role,)))
    return client_


def test_seven_links_in_order() -> None:
    assert [link.key for link in chain_links(clock.now(), SYSTEM)] == ORDER


def test_no_node_is_red_and_says_what_to_do() -> None:
    found = {link.key: link for link in chain_links(clock.now(), SYSTEM)}
    assert found["inference"].state == "down"
    assert found["inference"].next_step


def test_a_node_with_its_engine_is_green() -> None:
    heartbeat(name="a", facts={}, load={"engine": {"is_up": True}}, started_at=clock.now())
    found = {link.key: link for link in chain_links(clock.now(), SYSTEM)}
    assert found["inference"].state == "ok"


def test_messages_in_the_queues_of_live_nodes_are_counted() -> None:
    heartbeat(name="node-q", facts={}, load={}, started_at=clock.now())
    names = ("inference.cpu", "inference.cpu.node-q", "inference.gpu.node-q", "inference.cpu.node-gone")
    before = messages()
    try:
        for name in names:
            client_of_broker().rpush(name, "a message")
        assert messages() == before + 3
    finally:
        for name in names:
            client_of_broker().lpop(name)


def messages() -> int:
    """What the queue's tile says of the broker."""
    link = next(link for link in chain_links(clock.now(), SYSTEM) if link.key == "queue")
    return next(int(words.split()[0]) for words, _url in link.details if "messages in the broker" in words)


def test_a_probe_that_fails_is_a_red_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(now: Any, principal: Any) -> Any:
        raise RuntimeError

    monkeypatch.setitem(links._items, "3-queue", broken)
    found = chain_links(clock.now(), SYSTEM)
    assert [link.state for link in found][2] == "down"
    assert len(found) == 7


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("page", ["chain", "health", "node-list"])
def test_pages_render_for_operators(page: str, language: str) -> None:
    heartbeat(
        name="node-x",
        facts={"cores": 2, "providers": ["CPUExecutionProvider"]},
        load={"engine": {"is_up": False, "error": "gone"}, "streams": {"held": 3}},
        started_at=clock.now(),
    )
    answer = client().get(reverse(f"dispatch:{page}"), headers={"accept-language": language})
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "<script>" not in text
    assert " style=" not in text
    if page != "chain":
        assert "node-x" in text


@pytest.mark.parametrize("page", ["chain", "health"])
def test_others_may_not_look(page: str) -> None:
    assert client("bureau_officer").get(reverse(f"dispatch:{page}")).status_code == 403
    assert Client().get(reverse(f"dispatch:{page}")).status_code == 302


def test_the_tiles_alone_for_the_refresh() -> None:
    text = client().get(reverse("dispatch:chain") + "?part=tiles").content.decode()
    assert "<html" not in text
    assert text.count('class="tile ') == 7


def test_metrics_name_every_link() -> None:
    text = client().get("/metrics").content.decode()
    for key in ORDER:
        assert f'vantage_chain_state{{link="{key}"}}' in text
    assert "vantage_nodes_alive" in text
