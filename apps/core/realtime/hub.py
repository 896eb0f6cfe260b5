"""One hub per web process over one Redis subscription: encode once, filter by topic, never block on a slow page."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import Any

import redis.asyncio as aioredis
from channels.db import database_sync_to_async
from django.conf import settings

from apps.core.realtime.push import EPOCH_CHANNEL, PUSH_CHANNEL, epoch

logger = logging.getLogger(__name__)
QUEUE_LIMIT = 500
EPOCH_SECONDS = 2.0


class Member:
    """One open socket: its topics, its bounded queue, and whether it lost something."""

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self.queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_LIMIT)
        self.lost = False
        self.epoch_changed = asyncio.Event()

    def offer(self, text: str) -> None:
        """Queue a message; a full queue marks the socket as having a gap (it resumes with `since`)."""
        try:
            self.queue.put_nowait(text)
        except asyncio.QueueFull:
            self.lost = True


class Hub:
    """Members by socket; runs while there is at least one."""

    def __init__(self) -> None:
        self.members: set[Member] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.connected = False

    def join(self, member: Member) -> None:
        """Add a socket; the first one starts the subscription."""
        self.members.add(member)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._watch_epoch())]

    async def leave(self, member: Member) -> None:
        """Remove a socket; the last one stops the subscription."""
        self.members.discard(member)
        if not self.members:
            self.connected = False
            tasks, self._tasks = self._tasks, []
            self.connected = False  # the next socket starts afresh: it has missed nothing
            for task in tasks:
                task.cancel()
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def deliver(self, topics: list[str], text: str) -> None:
        """Hand one encoded message to every member that holds one of its topics."""
        wanted = frozenset(topics)
        for member in self.members:
            if not wanted.isdisjoint(member.topics):
                member.offer(text)

    def epoch_changed(self) -> None:
        """Every member must rebuild its topics."""
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
                    if self.connected:  # a reconnect: what was published meanwhile is only in the table
                        for member in self.members:
                            member.lost = True
                    self.connected = True
                    async for message in subscription.listen():
                        self._dispatch(message)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                logger.warning("push subscription lost: %s", type(error).__name__)
                for member in self.members:
                    member.lost = True
                await asyncio.sleep(1.0)

    def _dispatch(self, message: dict[str, Any]) -> None:
        if message["channel"] == EPOCH_CHANNEL.encode():
            self.epoch_changed()
            return
        frame = json.loads(message["data"])
        self.deliver(frame["topics"], json.dumps(frame["push"], ensure_ascii=False))

    async def _watch_epoch(self) -> None:
        known = None
        while True:
            with contextlib.suppress(Exception):
                present = await database_sync_to_async(epoch)()
                if known is not None and present != known:
                    self.epoch_changed()
                known = present
            await asyncio.sleep(EPOCH_SECONDS)


_hubs: dict[int, Hub] = {}


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(id(asyncio.get_running_loop()), Hub())
