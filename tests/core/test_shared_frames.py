"""Frames written past `websocket.send`: the same bytes on the wire, and never before what was taken earlier."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from apps.core.realtime.hub import Member
from apps.core.realtime.server import SharedProtocol, frame_bytes, writer_of


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536, 200_000])
def test_a_frame_is_what_the_library_makes_of_the_message(length: int) -> None:
    plain = Frame(Opcode.TEXT, b"x" * length).serialize(mask=False)
    assert frame_bytes("x" * length) == plain
    assert frame_bytes(b"x" * length) == Frame(Opcode.BINARY, b"x" * length).serialize(mask=False)


def test_text_travels_as_utf8() -> None:
    assert frame_bytes("点位") == Frame(Opcode.TEXT, "点位".encode()).serialize(mask=False)


CHUNK, MOST = 64 * 1024, 2_000


class Wire:
    """Takes frames while it has room."""

    def __init__(self) -> None:
        self.has_room = True
        self.taken: list[bytes] = []

    def write(self, frame: bytes) -> bool:
        """As `SharedProtocol.write_frame`."""
        if self.has_room:
            self.taken.append(frame)
        return self.has_room


def test_a_frame_is_written_at_once_only_where_nothing_is_before_it() -> None:
    async def scenario() -> tuple[list[bytes], list[Any]]:
        wire = Wire()
        member, sent = Member(write=wire.write), []
        member.offer("before the loop waits", b"0")
        loop = asyncio.create_task(member.next())
        sent.append(await loop)
        member.offer("while that one is being sent", b"1")
        sent.append(await member.next())
        waiting = asyncio.create_task(member.next())
        await asyncio.sleep(0)
        member.offer("at once", b"2")
        wire.has_room = False
        member.offer("kept", b"3")
        wire.has_room = True
        member.offer("after the one that is kept", b"4")
        sent += [await waiting, await member.next()]
        return wire.taken, sent

    taken, sent = asyncio.run(scenario())
    assert taken == [b"2"]
    assert sent == [
        "before the loop waits", "while that one is being sent", "kept", "after the one that is kept",
    ]  # fmt: skip


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Says whether a frame was taken, between two messages of the usual kind."""
    assert (await receive())["type"] == "websocket.connect"
    write = writer_of(scope)
    assert write is not None
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "first"})
    taken = write(frame_bytes("shared")) and write(frame_bytes(b"\x00" * 70_000))
    await send({"type": "websocket.send", "text": f"taken: {taken}"})
    await send({"type": "websocket.close"})
    await receive()
    assert write(frame_bytes("too late")) is False


async def until_full(scope: Any, receive: Any, send: Any) -> None:
    """Writes frames until there is no room, then says how many; `send` waits until the client has read."""
    assert (await receive())["type"] == "websocket.connect"
    write, frame, taken = writer_of(scope), frame_bytes(b"\x00" * CHUNK), 0
    assert write is not None
    await send({"type": "websocket.accept"})
    while taken < MOST and write(frame):
        taken += 1
    await send({"type": "websocket.send", "text": f"{taken}"})
    await send({"type": "websocket.send", "text": f"{write(frame_bytes('room again'))}"})
    await send({"type": "websocket.close"})


@contextlib.contextmanager
def served(application: Any = application, **options: Any) -> Iterator[int]:
    """A real server with the protocol; yields its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            application, ws=SharedProtocol, log_level="critical", lifespan="off", **options
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.mark.parametrize("deflate", [False, True])
def test_a_client_reads_shared_frames_among_the_others(*, deflate: bool) -> None:
    async def heard(port: int) -> list[Any]:
        async with connect(f"ws://127.0.0.1:{port}/", max_size=None) as client:
            return [message async for message in client]

    with served(ws_per_message_deflate=deflate) as port:
        assert asyncio.run(heard(port)) == ["first", "shared", b"\x00" * 70_000, "taken: True"]


def test_a_client_that_does_not_read_fills_no_memory() -> None:
    async def heard(port: int) -> list[Any]:
        async with connect(f"ws://127.0.0.1:{port}/", max_size=None, max_queue=1) as client:
            await asyncio.sleep(1.0)
            return [message async for message in client]

    with served(until_full) as port:
        *chunks, taken, told, last = asyncio.run(heard(port))
    assert 1 <= len(chunks) == int(taken) < MOST / 4
    assert [told, last] == ["room again", "True"]
