"""The sending process: one asyncio loop over the delivery rows of all endpoints.

Rows are leased in batches (30 s, fenced), at most PREFETCH per endpoint, so that a dead endpoint with 100,000
rows costs the others nothing. Each endpoint has a lane: two requests at a time, and a breaker that leaves it alone
for a while after five failures in a row. A lane is filled again before it runs dry. Outcomes are written in batches by
a connection of their own. A crash between sending and writing sends the message again when the lease has ended, with
the same `webhook-id`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

from django.db import close_old_connections, connections

from apps.core import clock, leases
from apps.core.outbound.client import DEADLINE_SECONDS, GuardedClient
from apps.core.wake import Sleeper
from apps.openapi.services import Leased, Outcome, Prepared, lease_due, prepare, record_outcomes, release
from apps.openapi.services.preparing import send
from workers.lanes import CONCURRENCY, Lane, taken

logger = logging.getLogger(__name__)
T = TypeVar("T")
PREFETCH = 16
PREPARE_AT_ONCE = 400
MAX_IN_MEMORY = 6000
POLL_SECONDS = 1.0
TAKE_SECONDS = 0.05
#: While this many wait in memory larger batches are taken less often: a batch costs the same few statements.
AMPLE = 1000
AMPLE_TAKE_SECONDS = 0.25
FLUSH_SECONDS = 0.05
HEARTBEAT_SECONDS = 5.0
STOP_SECONDS = 5.0


class DeliveryProcess:
    """`async with DeliveryProcess() as process: await process.run(stop)`; `step()` does one round and returns."""

    def __init__(
        self, client: GuardedClient | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client or GuardedClient(connections_per_host=0)
        self._monotonic = monotonic
        self._database = ThreadPoolExecutor(1, thread_name_prefix="delivery-db")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="delivery-write")
        self._waker = ThreadPoolExecutor(1, thread_name_prefix="delivery-wake")
        self._lanes: dict[UUID, Lane] = {}
        self._in_memory = 0
        self._outcomes: list[Outcome] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._unwritten = asyncio.Event()
        self.sent = 0

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._drain()
        finally:
            await self._client.__aexit__(kind, error, trace)
            for executor in (self._database, self._writer):
                await self._in_database(connections.close_all, executor)
                executor.shutdown()
            self._waker.shutdown(wait=False, cancel_futures=True)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; then finish what is on its way, for at most STOP_SECONDS."""
        helpers = [
            asyncio.create_task(self._listen(stop)),
            asyncio.create_task(self._write_outcomes()),
            asyncio.create_task(self._beat()),
            asyncio.create_task(self._wake_on(stop)),
        ]
        try:
            while not stop.is_set():
                self._changed.clear()
                if not await self._safely(self._take()):
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._changed.wait(), POLL_SECONDS)
                # several lanes are filled by one statement
                await asyncio.sleep(AMPLE_TAKE_SECONDS if self._in_memory > AMPLE else TAKE_SECONDS)
        finally:
            await self._safely(self._give_back([one for lane in self._lanes.values() for one in taken(lane)]))
            await self._drain(STOP_SECONDS)
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def step(self) -> int:
        """Send everything that is due now, once, and write what came of it. Returns the attempts made."""
        before = self.sent
        while await self._take():
            await self._drain()
        return self.sent - before

    async def _take(self) -> int:
        """Lease, prepare and start what the lanes have room for. Returns the rows leased."""
        now, room = self._monotonic(), MAX_IN_MEMORY - self._in_memory
        if room <= 0:
            return 0
        closed = [key for key, lane in self._lanes.items() if not lane.wants_more(now)]
        probing = [
            key for key, lane in self._lanes.items() if lane.wants_more(now) and lane.breaker.is_probing(now)
        ]
        rows = await self._in_database(lambda: lease_due(each=PREFETCH, total=room, busy=[*closed, *probing]))
        if probing:
            rows += await self._in_database(lambda: lease_due(each=1, total=room, only=probing))
        if rows:
            await self._start(rows)
        return len(rows)

    async def _start(self, rows: list[Leased]) -> None:
        """The first can leave while the rest is still prepared."""
        for first in range(0, len(rows), PREPARE_AT_ONCE):
            part = rows[first : first + PREPARE_AT_ONCE]
            for item in await self._in_database(partial(prepare, part)):
                self._queue(item)

    def _queue(self, item: Prepared) -> None:
        lane = self._lanes.setdefault(item.subscription, Lane())
        lane.waiting.append(item)
        self._in_memory += 1
        if lane.servers < CONCURRENCY:
            lane.servers += 1
            task = asyncio.create_task(self._serve(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, lane: Lane) -> None:
        """Send what waits in the lane, one after the other; CONCURRENCY of these run side by side."""
        try:
            while lane.waiting:
                item = lane.waiting.popleft()
                self._in_memory -= 1
                await self._one(lane, item)
                if lane.is_low:
                    self._changed.set()
        except Exception:  # the lease ends by itself
            logger.exception("sending to an endpoint failed")
        finally:
            lane.servers -= 1
            self._changed.set()

    async def _one(self, lane: Lane, item: Prepared) -> None:
        enough = clock.now() + timedelta(seconds=DEADLINE_SECONDS + 1) < item.lease_until
        if not enough or lane.breaker.is_open(self._monotonic()):
            unused = taken(lane)
            self._in_memory -= len(unused)
            await self._give_back([item, *unused])
            return
        outcome = await send(self._client, item)
        lane.note_pace(outcome.answer.milliseconds / 1000)
        lane.breaker.note(outcome.is_success, self._monotonic())
        self.sent += 1
        self._outcomes.append(outcome)
        self._unwritten.set()

    async def _give_back(self, unused: list[Prepared]) -> None:
        """Leases that will not be used are free for the next round at once."""
        held = [(one.delivery, one.fence) for one in unused]
        if held:
            await self._in_database(lambda: release(held), self._writer)

    async def _flush(self) -> None:
        batch, self._outcomes = self._outcomes, []
        if not batch:
            return
        try:
            await self._in_database(lambda: record_outcomes(batch), self._writer)
        except Exception:
            self._outcomes = batch + self._outcomes
            self._unwritten.set()
            raise

    async def _write_outcomes(self) -> None:
        """What came in within FLUSH_SECONDS is written together."""
        while True:
            await self._unwritten.wait()
            await asyncio.sleep(FLUSH_SECONDS)
            self._unwritten.clear()
            await self._safely(self._flush())

    async def _drain(self, seconds: float | None = None) -> None:
        """Wait for what is on its way, and write what came of it.

        What takes longer than `seconds` is let go: its lease ends by itself, and it goes again with the same id.
        """
        if seconds is not None and self._tasks:
            _done, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._flush()

    async def _listen(self, stop: asyncio.Event) -> None:
        """A wake is only a hint that saves up to POLL_SECONDS."""
        sleeper, loop = Sleeper("delivery"), asyncio.get_running_loop()
        while not stop.is_set():
            if await loop.run_in_executor(self._waker, sleeper.sleep, POLL_SECONDS):
                self._changed.set()

    async def _wake_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._changed.set()

    async def _beat(self) -> None:
        """The process's lease row: that it lives, and how much it has on its way."""
        name = f"delivery@{leases.holder_name()}"
        while True:
            detail = {"in_memory": self._in_memory, "sent": self.sent, "endpoints": len(self._lanes)}
            await self._safely(
                self._in_database(lambda: leases.take(name, seconds=3 * HEARTBEAT_SECONDS, detail=detail))  # noqa: B023
            )
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _safely(self, work: Any) -> Any:
        """The result, or None after an error (database away): logged, tried again a moment later."""
        try:
            return await work
        except Exception:
            logger.exception("delivery: a round failed, trying again")
            await asyncio.sleep(POLL_SECONDS)
            return None

    async def _in_database(self, call: Callable[[], T], executor: ThreadPoolExecutor | None = None) -> T:
        """A thread owns its database connection, so that the loop never waits for it."""

        def fresh() -> T:
            close_old_connections()
            return call()

        return await asyncio.get_running_loop().run_in_executor(executor or self._database, fresh)
