"""F16: a receiver that answers one byte a second: 15 s for everything, two requests at a time, nobody else waits."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from apps.events.signals import event_changed
from apps.openapi.models import Attempt, Delivery
from tests.openapi import builders
from tests.support import factories
from tests.support.receiver import Receiver
from workers.delivery import DeliveryProcess

MESSAGES = 20


class Dribbler:
    """Answers `HTTP/1.1 200 OK` byte by byte, one a second, and counts who connects."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.seen = 0
        self._ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End every connection."""
        self._ended.set()
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            self.seen += 1
            threading.Thread(target=self._dribble, args=(connection,), daemon=True).start()

    def _dribble(self, connection: socket.socket) -> None:
        try:
            for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + b"x" * 100000:
                connection.sendall(bytes([byte]))
                if self._ended.wait(1.0):
                    return
        except OSError:
            return
        finally:
            connection.close()


@contextmanager
def dribbler() -> Iterator[Dribbler]:
    made = Dribbler()
    try:
        yield made
    finally:
        made.close()


def p95(endpoint: str) -> int:
    """Milliseconds of the attempts at this endpoint."""
    found = sorted(
        Attempt.objects.filter(delivery__subscription__endpoint=endpoint).values_list(
            "milliseconds", flat=True
        )
    )
    return int(found[int(len(found) * 0.95) - 1])


@pytest.mark.django_db(transaction=True)
def test_f16_a_dribbling_receiver_costs_its_deadline_and_nobody_else(outbound_exact: list[str]) -> None:
    with dribbler() as slow, Receiver() as quick:
        outbound_exact += [slow.address, quick.address]
        organisation = factories.organisation()
        camera = factories.camera(organisation)
        slow_url = f"http://{slow.address}/"
        for url in (slow_url, quick.url):
            builders.subscription(builders.app(organisation), url)
        for _number in range(MESSAGES):
            event = builders.event(camera)
            event_changed.send(sender=type(event), event=event, kind="raised", phase="new")

        async def serve() -> int:
            stop = asyncio.Event()
            async with DeliveryProcess() as process:
                serving = asyncio.create_task(process.run(stop))
                began = time.monotonic()
                while len(quick.visits) < MESSAGES and time.monotonic() - began < 14:
                    await asyncio.sleep(0.05)
                together = slow.seen
                while not serving.done() and time.monotonic() - began < 20:
                    if await asyncio.to_thread(_timeouts) >= 2:
                        break
                    await asyncio.sleep(0.2)
                stop.set()
                await serving
            return together

        assert asyncio.run(serve()) == 2, "two requests at a time, before any was given up"
        assert len(quick.visits) == MESSAGES, "the healthy endpoint got everything while the slow one hung"
    delivered = Delivery.objects.filter(subscription__endpoint=quick.url, state="delivered")
    acknowledged = {str(row.message) for row in delivered}
    assert acknowledged == set(quick.messages)
    assert p95(quick.url) < 2000
    timed_out = Attempt.objects.filter(error="timeout")
    assert timed_out.count() >= 2
    assert all(14_500 <= attempt.milliseconds <= 16_500 for attempt in timed_out)
    assert not Delivery.objects.filter(subscription__endpoint=slow_url, state="delivered").exists()


def _timeouts() -> int:
    from django.db import connection

    try:
        return Attempt.objects.filter(error="timeout").count()
    finally:
        connection.close()
