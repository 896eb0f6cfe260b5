"""F37: a page that does not read 10,000 pushes: bounded memory, a gap notice, and everything again with `since`."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from apps.core import clock
from apps.core.ids import uuid7
from apps.core.models import Push
from apps.core.realtime import hub as hubs
from apps.core.realtime.hub import GAP_NOTICE, Member, deflated, frame
from apps.core.realtime.push import newest_seq, push_channel, stored_notes, written_notes
from apps.core.realtime.rights import standing_of
from apps.core.wake import client
from tests.attacks.sockets import Socket, session_of
from tests.support import factories

EVENTS = 10_000
BATCH = 500


def numbered(topic: str, count: int) -> list[int]:
    """Numbered pushes for one audience, as the relay keeps them; returns their numbers."""
    after, moment = newest_seq(), clock.now()
    Push.objects.bulk_create(
        Push(
            message=uuid7(), topics=[topic], kind="event.raised", object_id=uuid7(), at=moment,
            summary={"id": str(uuid7()), "camera_name": "人民路与解放路口东北角", "place": "人民路 18 号"},
        )
        for _number in range(count)
    )  # fmt: skip
    return list(Push.objects.filter(seq__gt=after).order_by("seq").values_list("seq", flat=True))


def told(topic: str, count: int) -> list[int]:
    """The same, published too; their numbers."""
    after = newest_seq()
    numbers = numbered(topic, count)
    for message in written_notes(stored_notes(after, count)):
        client().publish(push_channel(), message)
    return numbers


def member(topic: str) -> Member:
    """A page that hears one audience."""
    made = Member()
    made.standing = standing_of(None, lambda tokens: {}, None)
    object.__setattr__(made.standing, "hearing", type(made.standing.hearing)(frozenset({topic})))
    return made


@pytest.mark.django_db(transaction=True)
def test_f37_what_waits_for_a_page_that_does_not_read_is_bounded() -> None:
    text = frame(["x" * 10_000])

    async def scenario() -> tuple[int, list[Any]]:
        page = await sync_to_async(member)("c:1")
        most = 0
        for _number in range(EVENTS):
            page.offer(text)
            most = max(most, page._size)
        return most, [await page.next()]

    most, first = asyncio.run(scenario())
    assert most <= hubs.PENDING_LIMIT
    assert first == [GAP_NOTICE], "the notice comes instead of what was lost"
    assert json.loads(GAP_NOTICE) == {"pushes": [], "gap": True}


@pytest.mark.django_db(transaction=True)
def test_f37_a_slow_page_gets_a_gap_notice_and_resumes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "PENDING_LIMIT", 200_000)  # so that the notice comes early
    user = factories.user()
    cookie, topic = session_of(user), f"o:{user.organisation_id}"

    async def scenario() -> tuple[list[int], list[int], bool]:
        heard, numbers = [], []
        slow = SlowSocket("/ws/live", cookie)
        assert await slow.connect()
        await slow.receive()
        slow.hold()
        await asyncio.sleep(0.5)
        for _round in range(EVENTS // BATCH):
            numbers += await sync_to_async(told)(topic, BATCH)
            await asyncio.sleep(0.02)
        await asyncio.sleep(1.0)
        slow.go_on()
        gap = False
        while not gap:
            said = await slow.receive(30)
            gap = said["gap"]
            heard += [one["seq"] for one in said["pushes"]]
        await slow.disconnect()
        since = heard[-1] if heard else 0
        again = Socket(f"/ws/live?since={since}", cookie)
        assert await again.connect()
        while heard[-1:] != numbers[-1:]:
            said = await again.receive(30)
            assert not said["gap"]
            heard += [one["seq"] for one in said["pushes"] if one["seq"] > (heard[-1] if heard else 0)]
        await again.disconnect()
        return numbers, heard, gap

    numbers, heard, gap = asyncio.run(scenario())
    assert gap
    assert len(numbers) == EVENTS
    assert heard == numbers, "acknowledged ⊆ delivered: nothing is missing, nothing is out of order"
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_f37_a_message_that_redis_lost_is_read_from_the_table() -> None:
    user = factories.user()
    cookie, topic = session_of(user), f"o:{user.organisation_id}"

    async def scenario() -> tuple[list[int], list[int]]:
        page = Socket("/ws/live", cookie)
        assert await page.connect()
        await page.receive()
        await asyncio.sleep(0.5)
        numbers = await sync_to_async(numbered)(topic, 30)  # committed, never published
        numbers += await sync_to_async(told)(topic, 3)
        heard: list[int] = []
        while len(heard) < len(numbers):
            heard += [one["seq"] for one in (await page.receive(10))["pushes"]]
        await page.disconnect()
        return numbers, heard

    numbers, heard = asyncio.run(scenario())
    assert heard == numbers


def test_f37_a_compressed_frame_is_the_same_text() -> None:
    text = frame(['{"seq":1}'] * 300)
    assert zlib.decompress(deflated(text), wbits=-15).decode() == text
    assert len(deflated(text)) < len(text) / 10


class SlowSocket(Socket):
    """A socket whose server side cannot send while the client does not read, as behind a full TCP window."""

    def __init__(self, path: str, cookie: str) -> None:
        super().__init__(path, cookie)
        self._writable = asyncio.Event()
        self._writable.set()
        put = self.output_queue.put

        async def waiting_put(message: Any) -> None:
            await self._writable.wait()
            await put(message)

        self.output_queue.put = waiting_put  # type: ignore[method-assign]

    def hold(self) -> None:
        """Stop reading."""
        self._writable.clear()

    def go_on(self) -> None:
        """Read again."""
        self._writable.set()
