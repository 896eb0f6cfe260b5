"""uvicorn's WebSocket protocol with one more door: `uvicorn … --ws apps.core.realtime.server:SharedProtocol`.

A thousand pages with the same rights get the same message ten times a second. Through `websocket.send` each of them
costs a task that wakes, a frame that is built and three layers of calls (49 µs; written here, 17). A server does not
mask its frames (RFC 6455, 5.1), so the bytes of the frame are the same for all: built once, they are written to each
transport. Whoever asks for the extension falls back to `websocket.send` where it is not there.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, MutableMapping
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

#: Name in the scope's `extensions`; its `write` takes the bytes of a whole frame and says whether it took them.
EXTENSION = "vantage.shared_frame"
_TEXT, _BINARY = 0x81, 0x82
_SHORT, _MEDIUM = 125, 0xFFFF

Write = Callable[[bytes], bool]


class SharedProtocol(WebSocketsSansIOProtocol):
    """The protocol as it is, and the extension."""

    def handle_connect(self, event: Request) -> None:
        """The application starts with the next turn of the loop and finds the extension in its scope."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: MutableMapping[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = {"write": self.write_frame}

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the scope, which refers back to this: a cycle would stay until the next full collection."""
        super().connection_lost(exc)
        scope = getattr(self, "scope", None)  # none where the handshake was refused
        if scope is not None:
            scope["extensions"].pop(EXTENSION, None)

    def write_frame(self, frame: bytes) -> bool:
        """Write the bytes of one whole unmasked frame now; False, and nothing done, where the socket is full or ends.

        Between two messages of an accepted socket only: what `websocket.send` was given before is written by then.
        """
        if not self.writable.is_set() or self.close_sent or self.disconnected or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True


def writer_of(scope: MutableMapping[str, Any]) -> Write | None:
    """The extension of a socket's scope, None where its server has none."""
    write: Write | None = scope.get("extensions", {}).get(EXTENSION, {}).get("write")
    return write


def frame_bytes(message: str | bytes) -> bytes:
    """A message as one unmasked frame (RFC 6455, 5.2): text as UTF-8, bytes as a binary message."""
    kind, payload = (_TEXT, message.encode()) if isinstance(message, str) else (_BINARY, message)
    if len(payload) <= _SHORT:
        head = struct.pack("!BB", kind, len(payload))
    elif len(payload) <= _MEDIUM:
        head = struct.pack("!BBH", kind, 126, len(payload))
    else:
        head = struct.pack("!BBQ", kind, 127, len(payload))
    return head + payload
