"""F07: the broker takes bytes and never answers. A request is answered all the same, and the row is what counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.test import override_settings

from apps.core import outbox, wake
from apps.core.models import OutboxMessage
from tests.support.proxy import Proxy
from tests.support.road import served_here

PROMISE = 30.0


@pytest.fixture
def half_open(settings: Any) -> Iterator[Proxy]:
    """This process's broker is behind a proxy; its connections are made before the silence begins."""
    port = urlsplit(settings.REDIS_URL).port
    assert port
    with Proxy(port) as proxy:
        through = proxy.through(settings.REDIS_URL)
        with override_settings(REDIS_URL=through), served_here(through):
            wake._client, wake._away_until = None, 0.0
            wake.client().ping()
            yield proxy
            wake._away_until = 0.0


@pytest.mark.django_db(transaction=True)
def test_f07_a_silent_broker_costs_seconds_and_no_message(
    half_open: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled: list[str] = []
    monkeypatch.setitem(
        outbox.handlers._items, "test.f07", lambda batch: handled.extend(row.payload["n"] for row in batch)
    )
    half_open.mode = "half_open"
    begun = time.monotonic()
    with transaction.atomic():
        outbox.write("test.f07", {"n": "first"})
        wake.wake("strategies")
    first = time.monotonic() - begun
    assert first < PROMISE
    begun = time.monotonic()
    for number in range(20):
        with transaction.atomic():
            outbox.write("test.f07", {"n": str(number)})
            wake.wake("delivery")
    assert time.monotonic() - begun < 2 * wake.AWAY_SECONDS, (
        "each request does not wait for the same silence again"
    )
    assert OutboxMessage.objects.filter(topic="test.f07").count() == 21
    while outbox.relay_once():
        pass
    assert handled == ["first", *map(str, range(20))]


def test_f07_a_task_is_not_published_for_ever(half_open: Proxy) -> None:
    from celery import current_app

    from workers.process.watchdog import probe

    with current_app.connection_for_write() as connection:
        connection.ensure_connection(timeout=5)
        connection.default_channel.client.ping()
        half_open.mode = "half_open"
        begun = time.monotonic()
        with pytest.raises(Exception, match=r"(?i)time"):
            probe.apply_async(connection=connection, queue="default", retry=False)
        assert time.monotonic() - begun < PROMISE


def test_f07_it_goes_on_when_the_broker_speaks_again(half_open: Proxy) -> None:
    half_open.mode = "closed"
    sleeper = wake.Sleeper("test-f07")
    assert not sleeper.sleep(0.2)
    half_open.mode = "open"
    ends = time.monotonic() + 20
    while not wake.client().publish(wake.channel("test-f07"), b"1"):
        assert time.monotonic() < ends, "nobody listens again"
        sleeper.sleep(0.1)
    assert sleeper.sleep(5.0)
