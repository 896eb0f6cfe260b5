"""What a page's socket costs with stock Channels: one group, `group_send`, the layer that the settings name.

Served by `uvicorn tests.support.stock_group:application`, with the same server and options as the portal.
"""

from __future__ import annotations

from typing import Any

import django

django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402

GROUP = "stock"


class StockConsumer(AsyncWebsocketConsumer):
    """Joins the group and sends on what the group is sent."""

    async def connect(self) -> None:
        """No questions: only the sending is measured."""
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def told(self, event: dict[str, Any]) -> None:
        """A message of the group."""
        await self.send(text_data=event["text"])


async def _page(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


application = ProtocolTypeRouter({"http": _page, "websocket": StockConsumer.as_asgi()})
