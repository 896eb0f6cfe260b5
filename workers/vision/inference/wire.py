"""The engine's wire: a 4-byte big-endian length, then MessagePack, over a Unix stream socket."""

from __future__ import annotations

import socket
import struct
from typing import Any

import msgpack

MAX_MESSAGE = 64 * 2**20
_LENGTH = struct.Struct(">I")


class WireError(ConnectionError):
    """The other side sent something that is no message, or left in the middle of one."""


def send(connection: socket.socket, message: Any) -> None:
    payload = msgpack.packb(message)
    if len(payload) > MAX_MESSAGE:
        raise WireError(f"a message of {len(payload)} bytes is too long")
    connection.sendall(_LENGTH.pack(len(payload)) + payload)


def receive(connection: socket.socket) -> Any:
    """The next message, or None where the other side closed between messages; raises `WireError`."""
    head = _exactly(connection, _LENGTH.size, may_end=True)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MAX_MESSAGE:
        raise WireError(f"a message of {length} bytes is too long")
    body = _exactly(connection, length)
    try:
        return msgpack.unpackb(body)
    except (ValueError, msgpack.UnpackException) as error:
        raise WireError("not a MessagePack message") from error


def _exactly(connection: socket.socket, count: int, *, may_end: bool = False) -> bytes | None:
    pieces: list[bytes] = []
    missing = count
    while missing:
        piece = connection.recv(min(missing, 1 << 20))
        if not piece:
            if may_end and missing == count:
                return None
            raise WireError("the connection ended inside a message")
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
