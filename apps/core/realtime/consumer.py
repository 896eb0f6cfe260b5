"""The socket of open pages: `/ws/live?since=<seq>`; the server derives topics, client messages are ignored."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from apps.core import clock
from apps.core.models import Push
from apps.core.realtime.hub import Member, hub
from apps.core.realtime.push import wire
from apps.core.realtime.topics import Hearing, hearing_of

RESUME_LIMIT = 500
CHECK_SECONDS = 3.0
COALESCE_SECONDS = 0.1


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Sends `{"pushes": […]}` batches (≤ 100 ms apart), `{"gap": true}` when pushes were lost, closes with 4401
    when the session ended. Rights are asked again on each permission epoch and when a grant ends."""

    member: Member | None = None
    tasks: tuple[asyncio.Task[None], ...] = ()

    async def connect(self) -> None:
        """Authentication comes before accept; a refused handshake answers 403."""
        self.principal = self.scope.get("principal")
        if self.principal is None:
            await self.close()
            return
        hearing = await self._hearing()
        self.valid_until = hearing.valid_until
        self.member = Member(hearing.topics)
        hub().join(self.member)
        await self.accept()
        await self._resume()
        self.tasks = (asyncio.create_task(self._send_loop()), asyncio.create_task(self._rights_loop()))

    async def disconnect(self, code: int) -> None:
        """Leave the hub and stop the loops."""
        for task in self.tasks:
            task.cancel()
        if self.member is not None:
            await hub().leave(self.member)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Clients name nothing: whatever they send is ignored."""

    async def _resume(self) -> None:
        since = parse_qs(self.scope.get("query_string", b"").decode()).get("since", [""])[0]
        head, rows, complete = await self._missed(
            int(since) if since.isdecimal() and len(since) < 19 else None
        )
        await self.send(json.dumps({"hello": head, "gap": not complete, "pushes": rows}, ensure_ascii=False))

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _missed(self, since: int | None) -> tuple[int, list[dict[str, Any]], bool]:
        head = Push.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
        if since is None or self.member is None:
            return head, [], True
        rows = Push.objects.filter(seq__gt=since, topics__overlap=sorted(self.member.topics)).order_by("seq")
        found = [wire(row) for row in rows[: RESUME_LIMIT + 1]]
        return head, found[:RESUME_LIMIT], len(found) <= RESUME_LIMIT

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _hearing(self) -> Hearing:
        fresh = self.scope.get("refresh_principal")
        self.principal = fresh() if fresh else self.principal
        return hearing_of(self.principal)

    async def _send_loop(self) -> None:
        assert self.member is not None
        while True:
            batch = [await self.member.queue.get()]
            await asyncio.sleep(COALESCE_SECONDS)
            while not self.member.queue.empty():
                batch.append(self.member.queue.get_nowait())
            lost, self.member.lost = self.member.lost, False
            await self.send(f'{{"pushes":[{",".join(batch)}],"gap":{"true" if lost else "false"}}}')

    async def _rights_loop(self) -> None:
        assert self.member is not None
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.member.epoch_changed.wait(), CHECK_SECONDS)
            changed = self.member.epoch_changed.is_set()
            self.member.epoch_changed.clear()
            hearing = await self._hearing()
            if self.principal is None:
                await self.close(code=4401)
                return
            if changed or hearing.topics != self.member.topics or self._ended():
                self.member.topics, self.valid_until = hearing.topics, hearing.valid_until

    def _ended(self) -> bool:
        return self.valid_until is not None and self.valid_until <= clock.now()
