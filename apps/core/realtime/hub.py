"""One hub per web process over one Redis subscription.

Pushes of one tick (100 ms) are joined once per audience, so that a thousand pages with the same rights cost one
encoding; a page that does not read keeps a bounded number of shared texts and then a gap notice. The pushed table is
the truth: whatever Redis did not bring is read from it, in order of `seq`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import redis.asyncio as aioredis
from channels.db import database_sync_to_async
from django.conf import settings

from apps.core.realtime.push import EPOCH_CHANNEL, PUSH_CHANNEL, Note, newest_seq, read_note, stored_notes
from apps.core.realtime.rights import Standing, judge

logger = logging.getLogger(__name__)
COALESCE_SECONDS = 0.1
#: Characters that wait for one page before it is told of a gap. The texts are shared by all pages of an audience.
PENDING_LIMIT = 1 << 20
#: Pushes in one frame at most.
FRAME_PUSHES = 200
#: How many rows the hub reads from the table to close a hole; more is a gap that each page closes for itself.
FILL_LIMIT = 2000
CHECK_SECONDS = 2.0
GAP_NOTICE = '{"pushes":[],"gap":true}'


class Member:
    """One open socket: what it may hear, and the texts that wait for it.

    Without a standing it hears nothing and is only told, by `epoch_changed`, that rights changed somewhere.
    """

    def __init__(self, standing: Standing | None = None) -> None:
        self.standing = standing
        self.epoch_changed = asyncio.Event()
        self.lost = False
        self.ended = False
        self._texts: deque[str] = deque()
        self._size = 0
        self._ready = asyncio.Event()

    @property
    def topics(self) -> frozenset[str]:
        """The audiences this page belongs to."""
        return self.standing.topics if self.standing else frozenset()

    def offer(self, text: str) -> None:
        """Keep a text for the socket; what does not fit makes a gap, after which nothing waits but its notice."""
        if self.lost or self.ended:
            return
        if self._size + len(text) > PENDING_LIMIT and self._texts:
            self.lose()
            return
        self._texts.append(text)
        self._size += len(text)
        self._ready.set()

    def lose(self) -> None:
        """Pushes were lost: the page is told and resumes with the last `seq` it got."""
        self._texts.clear()
        self._size = 0
        self.lost = True
        self._ready.set()

    def end(self) -> None:
        """The session ended: `next` answers None from now on."""
        self.ended = True
        self._ready.set()

    async def next(self) -> str | None:
        """The next text to send, None when the socket must close."""
        while not self._ready.is_set():
            await self._ready.wait()
        if self.ended:
            return None
        if self._texts:
            text = self._texts.popleft()
            self._size -= len(text)
        else:
            text, self.lost = GAP_NOTICE, False
        if not self._texts and not self.lost:
            self._ready.clear()
        return text


class _Tick(NamedTuple):
    """A push that waits for the end of the tick."""

    topics: frozenset[str]
    text: str


class Hub:
    """Members by socket; runs while there is at least one."""

    def __init__(self) -> None:
        self.members: set[Member] = set()
        self.seq = 0
        self._tick: list[_Tick] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._epoch_changed = asyncio.Event()

    async def join(self, member: Member) -> int:
        """Add a socket; the first one starts the subscription. Returns the newest `seq` before it hears anything."""
        self.members.add(member)
        if not self._tasks:
            self.seq = await database_sync_to_async(newest_seq)()
        if not self._tasks:  # another socket may have come meanwhile
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._check())]
        return self.seq

    async def leave(self, member: Member) -> None:
        """Remove a socket; the last one stops the subscription."""
        self.members.discard(member)
        if not self.members:
            tasks, self._tasks, self._tick = self._tasks, [], []
            for task in tasks:
                task.cancel()
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def take(self, note: Note) -> None:
        """Keep one push for the end of the tick; what was handed out before is not handed out again."""
        if note.seq <= self.seq:
            return
        self.seq = note.seq
        if not self._tick:
            asyncio.get_running_loop().call_later(COALESCE_SECONDS, self.flush)
        self._tick.append(_Tick(frozenset(note.topics), note.text))

    def flush(self) -> None:
        """Hand the tick out: joined once for all members that hear the same part of it."""
        tick, self._tick = self._tick, []
        told = frozenset().union(*(one.topics for one in tick))
        frames: dict[frozenset[str], list[str]] = {}
        for member in self.members:
            heard = member.topics & told
            if not heard:
                continue
            found = frames.get(heard)
            if found is None:
                found = frames[heard] = _frames(
                    [one.text for one in tick if not heard.isdisjoint(one.topics)]
                )
            for text in found:
                member.offer(text)

    def epoch_changed(self) -> None:
        """Rights changed: every member's standing is judged anew, now."""
        self._epoch_changed.set()
        for member in self.members:
            member.epoch_changed.set()

    async def _listen(self) -> None:
        while True:
            try:
                connection = aioredis.from_url(
                    settings.REDIS_URL, health_check_interval=10, socket_keepalive=True
                )
                async with connection.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(PUSH_CHANNEL, EPOCH_CHANNEL)
                    await self._fill()  # what was published before we listened
                    async for message in subscription.listen():
                        await self._dispatch(message)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                logger.warning("push subscription lost: %s", type(error).__name__)
                await asyncio.sleep(1.0)

    async def _dispatch(self, message: dict[str, Any]) -> None:
        if message["channel"] == EPOCH_CHANNEL.encode():
            self.epoch_changed()
            return
        note = read_note(message["data"])
        if note.seq > self.seq + 1:  # a lost message, or a number that no row has
            await self._fill(before=note.seq)
        self.take(note)

    async def _fill(self, before: int | None = None) -> None:
        """Take what the table has after our `seq`; a hole too large to fill is a gap for every page."""
        notes = await database_sync_to_async(stored_notes)(self.seq, FILL_LIMIT + 1, before)
        if len(notes) > FILL_LIMIT:
            self.seq = (before or await database_sync_to_async(newest_seq)() + 1) - 1
            for member in self.members:
                member.lose()
            return
        for note in notes:
            self.take(note)

    async def _check(self) -> None:
        """Every CHECK_SECONDS and on each epoch: who may still hear, and what Redis did not bring."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._epoch_changed.wait(), CHECK_SECONDS)
            self._epoch_changed.clear()
            try:
                await self._rejudge()
                await self._fill()
            except Exception as error:  # database away: everybody keeps what was last known, tried again soon
                logger.warning("live sockets not checked: %s", type(error).__name__)

    async def _rejudge(self) -> None:
        standings = {member.standing: member for member in self.members if member.standing is not None}
        fresh = await database_sync_to_async(judge)(standings)
        for old, standing in fresh.items():
            member = standings[old]
            if standing is None:
                member.end()
            else:
                member.standing = standing


def _frames(texts: list[str]) -> list[str]:
    parts = (texts[start : start + FRAME_PUSHES] for start in range(0, len(texts), FRAME_PUSHES))
    return [frame(part) for part in parts]


def frame(texts: Iterable[str], *, gap: bool = False, hello: int | None = None) -> str:
    """One message of the socket: encoded pushes in order of `seq`."""
    head = "" if hello is None else f'"hello":{hello},'
    return f'{{{head}"pushes":[{",".join(texts)}],"gap":{json.dumps(gap)}}}'


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
