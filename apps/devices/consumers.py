"""Live pictures: the socket checks the right, forwards the holder's bytes, closes within 5 s when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from apps.core import audit
from apps.core.realtime.hub import Member, hub
from apps.devices.models import Camera, Stream
from apps.devices.services.live import LiveRight, live_right
from apps.devices.services.purpose import purpose_in
from apps.devices.services.streams import open_stream_url

logger = logging.getLogger(__name__)
CHECK_SECONDS = 3.0
OPEN_SECONDS = 15.0
CHUNK = 64 * 1024


class LiveVideoConsumer(AsyncWebsocketConsumer):
    """`/ws/devices/<camera>/live`: MPEG-TS or FLV chunks only, as players expect; a failure is a close code
    (4403 right ended or privacy masks drawn, 4404 no stream, 4415 not playable in a browser, 4503 camera or holder
    away)."""

    tasks: tuple[asyncio.Task[None], ...] = ()
    member: Member | None = None
    writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        """The right `live` comes before accept; a camera with privacy masks has no stream without `unmasked`."""
        self.principal = self.scope.get("principal")
        self.camera_id: UUID = self.scope["url_route"]["kwargs"]["camera_id"]
        opened = await self._opened()
        if opened is None:
            await self.close()
            return
        await self.accept()
        self.member = Member()
        await hub().join(self.member)
        self.tasks = (asyncio.create_task(self._forward(opened)), asyncio.create_task(self._watch_rights()))

    async def disconnect(self, code: int) -> None:
        """Leave the holder at once, so that an unwatched stream ends."""
        for task in self.tasks:
            task.cancel()
        if self.writer is not None:
            self.writer.close()
        if self.member is not None:
            await hub().leave(self.member)

    def _judged(self) -> tuple[Any, LiveRight | None, dict[str, str], str]:
        """Who asks now, their right, the purpose they gave, and why they do not get the stream; empty: they do."""
        refresh = self.scope.get("refresh_principal")
        principal = refresh() if refresh else self.principal
        right, given = live_right(principal, self.camera_id), purpose_in(self.scope.get("session"))
        if right is None:
            return principal, None, given, "no_right"
        if not right.is_raw:
            return principal, right, given, "privacy_masks"
        return principal, right, given, "purpose" if right.masks and not given else ""

    @database_sync_to_async
    def _opened(self) -> dict[str, Any] | None:
        """What the holder is asked for; None for who may not have the stream. Either way the ledger shows it."""
        principal, right, given, refusal = self._judged()
        if right is None or refusal:
            self._note_refusal(principal, refusal)
            return None
        camera = right.camera
        audit.note(
            principal,
            "camera.live",
            camera,
            owner_id=camera.managing_organisation_id,
            unmasked=bool(right.masks),
            **({"grant_purpose": right.purpose} if right.purpose else {}),
            **given,
        )
        stream = Stream.objects.filter(camera=camera).order_by("role").first()
        if stream is None:
            return {"error": "no_stream"}
        return {
            "camera": str(camera.pk),
            "stream_url": open_stream_url(stream),
            "transport": stream.transport,
        }

    def _note_refusal(self, principal: Any, reason: str) -> None:
        owner = Camera.objects.filter(pk=self.camera_id).values_list("managing_organisation_id", flat=True)
        audit.note(
            principal,
            "camera.live",
            outcome="refused",
            owner_id=owner.first() or "",
            name=str(self.camera_id),
            reason=reason,
        )

    @database_sync_to_async
    def _still_allowed(self) -> bool:
        return not self._judged()[-1]

    async def _forward(self, request: dict[str, Any]) -> None:
        if "error" in request:
            await self.close(code=4404)
            return
        try:
            reader, self.writer = await asyncio.open_unix_connection(settings.VANTAGE_LIVE_SOCKET)
            self.writer.write(json.dumps(request).encode() + b"\n")
            await self.writer.drain()
            line = await asyncio.wait_for(reader.readline(), OPEN_SECONDS)
            head = json.loads(line or b'{"error": "closed"}')
            if "error" in head:
                await self.close(code=4415 if head["error"] == "unsupported_codec" else 4503)
                return
            while chunk := await reader.read(CHUNK):
                await self.send(bytes_data=chunk)
        except (OSError, TimeoutError, ValueError):
            logger.warning("live picture of %s: the stream holder does not answer", self.camera_id)
        await self.close(code=4503)

    async def _watch_rights(self) -> None:
        assert self.member is not None
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.member.epoch_changed.wait(), CHECK_SECONDS)
            self.member.epoch_changed.clear()
            try:
                allowed = await self._still_allowed()
            except (DatabaseError, InterfaceError) as error:
                # asked again at the next round, instead of never
                logger.warning("right to %s not checked: %s", self.camera_id, type(error).__name__)
                continue
            if not allowed:
                await self.close(code=4403)
                return
