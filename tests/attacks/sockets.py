"""Opening the site's sockets as a browser would: with a session's cookie and an Origin."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import unquote

from asgiref.testing import ApplicationCommunicator
from django.test import Client

ORIGIN = b"http://testserver"


class Socket(ApplicationCommunicator):
    """One WebSocket of the whole ASGI application (channels.testing needs another server's package)."""

    def __init__(self, path: str, cookie: str | None = None, origin: bytes | None = ORIGIN) -> None:
        from portal.asgi import application

        headers = [(b"host", b"testserver")]
        if cookie:
            headers.append((b"cookie", f"sessionid={cookie}".encode()))
        if origin is not None:
            headers.append((b"origin", origin))
        bare, _, query = path.partition("?")
        scope = {
            "type": "websocket", "path": unquote(bare), "query_string": query.encode(), "headers": headers,
            "subprotocols": [],
        }  # fmt: skip
        super().__init__(application, scope)

    async def connect(self, timeout: float = 10) -> bool:
        """Whether the handshake was accepted; a refusal is a close before an accept (403 on the wire)."""
        await self.send_input({"type": "websocket.connect"})
        return bool((await self.receive_output(timeout))["type"] == "websocket.accept")

    async def receive(self, timeout: float = 10) -> Any:
        """The next message: bytes as they are, text as JSON."""
        message = await self.receive_output(timeout)
        assert message["type"] == "websocket.send", message
        return message["bytes"] if message.get("bytes") is not None else json.loads(message["text"])

    async def send(self, *, text: str | None = None, data: bytes | None = None) -> None:
        """What a client sends."""
        message: dict[str, Any] = {"type": "websocket.receive"}
        await self.send_input(message | ({"text": text} if data is None else {"bytes": data}))

    async def disconnect(self) -> None:
        """The client goes."""
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(10)

    async def outputs(self, seconds: float) -> list[dict[str, Any]]:
        """Everything that comes within `seconds`, up to a close."""
        loop = asyncio.get_running_loop()
        end, found = loop.time() + seconds, []
        while (left := end - loop.time()) > 0:
            try:
                found.append(await asyncio.wait_for(self.output_queue.get(), left))
            except TimeoutError:
                break
            if found[-1]["type"] == "websocket.close":
                break
        return found

    async def closed_within(self, seconds: float) -> int | None:
        """The close code, or None when the socket is still open after `seconds`."""
        last = (await self.outputs(seconds))[-1:]
        return int(last[0]["code"]) if last and last[0]["type"] == "websocket.close" else None

    async def pushes_within(self, seconds: float) -> list[dict[str, Any]]:
        """All pushes that come within `seconds`."""
        texts = [message["text"] for message in await self.outputs(seconds) if message.get("text")]
        return [one for text in texts for one in json.loads(text)["pushes"]]


def session_of(user: Any) -> str:
    """The session cookie of a fresh login."""
    client = Client()
    client.force_login(user)
    return str(client.cookies["sessionid"].value)
