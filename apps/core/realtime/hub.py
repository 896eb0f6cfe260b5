"""One hub per web process over one Redis subscription.

Pushes of one tick (100 ms) are joined, and compressed, once per audience, so that a thousand pages with the same
rights cost one encoding; a page that does not read keeps a bounded number of shared frames and then a gap notice. The
pushed table is the truth: whatever Redis did not bring is read from it, in order of `seq`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import zlib
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import redis.asyncio as aioredis
from channels.db import database_sync_to_async
from django.conf import settings

from apps.core.realtime.push import (
    Note,
    epoch_channel,
    newest_seq,
    push_channel,
    read_notes,
    stored_notes,
)
from apps.core.realtime.rights import Standing, judge
from apps.core.realtime.server import Write, frame_bytes

logger = logging.getLogger(__name__)
COALESCE_SECONDS = 0.1
#: Characters or bytes that wait for one page before it is told of a gap; all pages of an audience share them.
PENDING_LIMIT = 1 << 20
#: A frame is compressed when it is this long and this many pages share it (0.3 ms for 40 kB, 3 kB to send to each).
DEFLATE_LENGTH, DEFLATE_SHARED = 2048, 4
#: Pushes in one frame at most.
FRAME_PUSHES = 200
#: How many rows the hub reads from the table to close a hole; more is a gap that each page closes for itself.
FILL_LIMIT = 2000
CHECK_SECONDS = 2.0
GAP_NOTICE = '{"pushes":[],"gap":true}'

#: A message of the socket: JSON text, or the same as UTF-8 compressed by raw deflate (RFC 1951), a binary message.
Frame = str | bytes


class Member:
    """One open socket: what it may hear, and the texts that wait for it.

    Without a standing it hears nothing and is only told, by `epoch_changed`, that rights changed somewhere.
    `inflates` says that the page can read compressed frames. `write` sends the bytes of a frame at once (server.py).
    """

    def __init__(
        self, standing: Standing | None = None, inflates: bool = False, write: Write | None = None
    ) -> None:
        self.standing = standing
        self.inflates = inflates
        self._write = write
        self._is_waiting = False
        self.epoch_changed = asyncio.Event()
        self.lost = False
        self.ended = False
        self._frames: deque[Frame] = deque()
        self._size = 0
        self._ready = asyncio.Event()

    @property
    def topics(self) -> frozenset[str]:
        """The audiences this page belongs to."""
        return self.standing.topics if self.standing else frozenset()

    def offer(self, frame: Frame, wire: bytes = b"") -> None:
        """Send a frame at once where nothing is before it and the socket has room for its bytes (`wire`), else keep it.

        What does not fit makes a gap, after which nothing waits but its notice.
        """
        if self.lost or self.ended:
            return
        is_free = self._is_waiting and not self._ready.is_set()
        if wire and is_free and self._write is not None and self._write(wire):
            return
        if self._size + len(frame) > PENDING_LIMIT and self._frames:
            self.lose()
            return
        self._frames.append(frame)
        self._size += len(frame)
        self._ready.set()

    def lose(self) -> None:
        """Pushes were lost: the page is told and resumes with the last `seq` it got."""
        self._frames.clear()
        self._size = 0
        self.lost = True
        self._ready.set()

    def end(self) -> None:
        """The session ended: `next` answers None from now on."""
        self.ended = True
        self._ready.set()

    async def next(self) -> Frame | None:
        """The next frame to send, None when the socket must close."""
        self._is_waiting = True  # what was taken before is sent
        while not self._ready.is_set():
            await self._ready.wait()
        self._is_waiting = False
        if self.ended:
            return None
        if self._frames:
            found = self._frames.popleft()
            self._size -= len(found)
        else:
            found, self.lost = GAP_NOTICE, False
        if not self._frames and not self.lost:
            self._ready.clear()
        return found


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
            tasks, self._tasks, self._tick = set(self._tasks), [], []
            while tasks:  # again: a Redis connection that is just being opened swallows the first one
                for task in tasks:
                    task.cancel()
                _done, tasks = await asyncio.wait(tasks, timeout=0.2)

    def take(self, note: Note) -> None:
        """Keep one push for the end of the tick; what was handed out before is not handed out again."""
        if note.seq <= self.seq:
            return
        self.seq = note.seq
        if not self._tick:  # at the next multiple of the interval, so that a steady feed makes steady frames
            loop = asyncio.get_running_loop()
            loop.call_at((loop.time() // COALESCE_SECONDS + 1) * COALESCE_SECONDS, self.flush)
        self._tick.append(_Tick(frozenset(note.topics), note.text))

    def flush(self) -> None:
        """Hand the tick out: joined once for all members that hear the same part of it."""
        tick, self._tick = self._tick, []
        told = frozenset().union(*(one.topics for one in tick))
        audiences: dict[tuple[frozenset[str], bool], list[Member]] = {}
        for member in self.members:
            heard = member.topics & told
            if heard:
                audiences.setdefault((heard, member.inflates), []).append(member)
        for (heard, inflates), members in audiences.items():
            texts = [one.text for one in tick if not heard.isdisjoint(one.topics)]
            for made in _frames(texts, inflates and len(members) >= DEFLATE_SHARED):
                wire = frame_bytes(made)
                for member in members:
                    member.offer(made, wire)

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
                    await subscription.subscribe(push_channel(), epoch_channel())
                    await self._fill()  # what was published before we listened
                    async for message in subscription.listen():
                        await self._dispatch(message)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                logger.warning("push subscription lost: %s", type(error).__name__)
                await asyncio.sleep(1.0)

    async def _dispatch(self, message: dict[str, Any]) -> None:
        if message["channel"] == epoch_channel().encode():
            self.epoch_changed()
            return
        for note in read_notes(message["data"]):
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


def _frames(texts: list[str], may_deflate: bool) -> list[Frame]:
    parts = [frame(texts[start : start + FRAME_PUSHES]) for start in range(0, len(texts), FRAME_PUSHES)]
    return [deflated(text) if may_deflate and len(text) >= DEFLATE_LENGTH else text for text in parts]


def deflated(text: str) -> bytes:
    """Raw deflate, fastest level."""
    made = zlib.compressobj(level=1, wbits=-15)
    return made.compress(text.encode()) + made.flush()


def frame(texts: Iterable[str], *, gap: bool = False, hello: int | None = None) -> str:
    """One message of the socket: encoded pushes in order of `seq`."""
    head = "" if hello is None else f'"hello":{hello},'
    return f'{{{head}"pushes":[{",".join(texts)}],"gap":{json.dumps(gap)}}}'


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
