"""The socket of open pages, `/ws/live?since=<seq>&deflate=1`: the server derives topics, clients are not heard."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from apps.core.realtime.hub import Member, frame, hub
from apps.core.realtime.push import has_more_than, stored_notes
from apps.core.realtime.rights import Standing, standing_of
from apps.core.realtime.server import writer_of

RESUME_PAGE = 500
#: What a page that was away gets from the table at most; beyond it the page says that it must be loaded anew.
RESUME_LIMIT = 20_000


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Sends `{"pushes": […], "gap": false}` frames, at most ten a second.

    The first one has `hello`, the newest number. After `?since=<seq>` the missed pushes come from the table, in
    order, before anything new; `gap` in that first frame says that more were missed than are told. Later a frame
    `{"pushes": [], "gap": true}` says that this socket was too slow and lost some: open it again with the last number.
    With `deflate=1` some frames come as binary messages, the same JSON in raw deflate. Closes with 4401 when the
    session ended.
    """

    member: Member | None = None
    sending: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Authentication comes before accept; a refused handshake answers 403."""
        if self.scope.get("principal") is None:
            await self.close()
            return
        self.member = Member(
            await self._standing(), inflates=self._asked("deflate") == "1", write=writer_of(self.scope)
        )
        head = await hub().join(self.member)
        await self.accept()
        self.sending = asyncio.create_task(self._send_loop(head))

    async def disconnect(self, code: int) -> None:
        """Leave the hub and stop sending."""
        if self.sending is not None:
            self.sending.cancel()
        if self.member is not None:
            await hub().leave(self.member)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Clients name nothing: whatever they send is ignored."""

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _standing(self) -> Standing:
        scope = self.scope
        return standing_of(scope["principal_token"], scope["refresh_principals"], scope["principal"])

    def _asked(self, name: str) -> str:
        query: bytes = self.scope.get("query_string", b"")
        return parse_qs(query.decode("latin-1")).get(name, [""])[0]

    def _since(self) -> int | None:
        asked = self._asked("since")
        return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 19 else None

    async def _send_loop(self, head: int) -> None:
        """The missed pushes, then what the hub offers. A send waits while the client does not read."""
        assert self.member is not None
        await self._resume(head)
        while (one := await self.member.next()) is not None:
            await self.base_send({"type": "websocket.send", "text" if isinstance(one, str) else "bytes": one})
        await self.close(code=4401)

    async def _resume(self, head: int) -> None:
        """Page by page, so that a thousand pages that come back at once do not hold a thousand days in memory."""
        since = self._since()
        gap = since is not None and await self._is_too_much(since, head)
        at = head if since is None or gap else since
        notes, at = await self._missed(at, head)
        await self.send(frame(notes, gap=gap, hello=head))
        while len(notes) == RESUME_PAGE:
            notes, at = await self._missed(at, head)
            if notes:
                await self.send(frame(notes))

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _is_too_much(self, since: int, head: int) -> bool:
        assert self.member is not None
        return has_more_than(RESUME_LIMIT, since, head + 1, self.member.topics)

    async def _missed(self, after: int, head: int) -> tuple[list[str], int]:
        """The next page of what this page's audiences were told up to `head`, and the number it ends with."""
        assert self.member is not None
        if after >= head:
            return [], head
        notes = await database_sync_to_async(stored_notes)(after, RESUME_PAGE, head + 1, self.member.topics)
        return [note.text for note in notes], notes[-1].seq if notes else head
