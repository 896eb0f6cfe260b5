"""Many WebSocket clients in one cheap process: raw frames over asyncio, nothing is decoded but what is measured.

    with Browsers(port=…, path="/ws/live", cookies=[…], origin=…) as browsers:
        browsers.wait_open(60)
        browsers.reset()
        …
        report = browsers.report()     # frames, events, latencies of the window since reset

A message may hold `"t": <seconds since the epoch>`; the latency of a frame is that of its first, oldest one.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import statistics
import struct
import sys
import time
import zlib
from collections.abc import Sequence
from typing import Any, Self

from tests.support.steered import Steered

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
SMALL_BUFFER = 16 * 1024


class Browser(asyncio.Protocol):
    """One client: counts frames and events, answers pings; with `reads=False` it stops reading once it is open."""

    def __init__(self, number: int, request: bytes, crowd: Crowd, reads: bool = True) -> None:
        self.number, self.request, self.crowd, self.reads = number, request, crowd, reads
        self.open = False
        self.rest = b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = transport
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Whole frames are handed on, the rest is kept."""
        if self.rest:
            data = self.rest + data
        at = 0
        if not self.open:
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:
                self.rest = data
                return
            if not data.startswith(b"HTTP/1.1 101"):
                self.crowd.refused += 1
                self.transport.close()
                return
            self.open = True
            self.crowd.opened += 1
            if not self.reads:
                self.transport.pause_reading()
        self.rest = data[self._frames(data, at) :]

    def connection_lost(self, error: Exception | None) -> None:
        """Count it."""
        self.crowd.closed += self.open

    def _frames(self, data: bytes, at: int) -> int:
        """Handle all complete frames from `at`; returns where the first incomplete one begins."""
        end = len(data)
        while end - at >= 2:
            kind, length, head = data[at] & 0x0F, data[at + 1] & 0x7F, 2
            if length == 126:
                if end - at < 4:
                    break
                length, head = struct.unpack_from("!H", data, at + 2)[0], 4
            elif length == 127:
                if end - at < 10:
                    break
                length, head = struct.unpack_from("!Q", data, at + 2)[0], 10
            if end - at < head + length:
                break
            if kind in {TEXT, BINARY}:
                self.crowd.note(kind, data[at + head : at + head + length])
            elif kind == PING:
                self.transport.write(
                    bytes((0x80 | PONG, 0x80 | length)) + bytes(4) + data[at + head : at + head + length]
                )
            elif kind == CLOSE:
                self.transport.close()
            at += head + length
        return at


class Crowd:
    """All clients of the process and what they measured."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        self.opened = self.refused = self.closed = 0
        self._known: dict[bytes, tuple[int, bool, float | None]] = {}
        self.reset()

    def reset(self) -> None:
        """A new window begins."""
        self.frames = self.events = self.gaps = self.size = 0
        self.latencies: list[float] = []

    def note(self, kind: int, payload: bytes) -> None:
        """One frame. The same frame goes to many, so what is in it is read once."""
        self.frames += 1
        self.size += len(payload)
        found = self._known.get(payload)
        if found is None:
            if len(self._known) > 50:
                self._known.clear()
            found = self._known[payload] = _read(
                payload if kind == TEXT else zlib.decompress(payload, wbits=-15)
            )
        events, gap, told = found
        self.events += events
        self.gaps += gap
        if told is not None:
            self.latencies.append(time.time() - told)

    async def open_all(self) -> None:
        """Connect, at most 50 handshakes at a time."""
        gate = asyncio.Semaphore(50)
        count = len(self.asked["cookies"])
        await asyncio.gather(*(self._open(gate, number) for number in range(count)))

    async def _open(self, gate: asyncio.Semaphore, number: int) -> None:
        asked = self.asked
        async with gate:
            before = self.opened + self.refused
            made = socket.socket()
            if not asked["reads"]:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
            made.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(made, ("127.0.0.1", asked["port"]))
            request = _handshake(asked, asked["cookies"][number])
            await loop.create_connection(lambda: Browser(number, request, self, asked["reads"]), sock=made)
            for _wait in range(1500):
                if self.opened + self.refused > before:
                    break
                await asyncio.sleep(0.02)

    def report(self) -> dict[str, Any]:
        """The window so far; latencies in milliseconds."""
        found = {"p50_ms": None, "p99_ms": None, "max_ms": None}
        if len(self.latencies) > 1:
            cuts = statistics.quantiles(self.latencies, n=100, method="inclusive")
            found = {
                "p50_ms": cuts[49] * 1000,
                "p99_ms": cuts[98] * 1000,
                "max_ms": max(self.latencies) * 1000,
            }
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            **found, "opened": self.opened, "refused": self.refused, "closed": self.closed, "frames": self.frames,
            "events": self.events, "gaps": self.gaps, "bytes": self.size, "cpu": used.ru_utime + used.ru_stime,
        }  # fmt: skip


class Browsers(Steered):
    """The process of a crowd."""

    def __init__(
        self, *, port: int, path: str, cookies: Sequence[str], origin: str, reads: bool = True
    ) -> None:
        super().__init__("tests.support.browsers")
        self._asked = {"port": port, "path": path, "cookies": list(cookies), "origin": origin, "reads": reads}

    def __enter__(self) -> Self:
        super().__enter__()
        self.say(json.dumps(self._asked))
        return self

    def wait_open(self, seconds: float) -> dict[str, Any]:
        """The report once every client is open; AssertionError when one was refused or does not open."""
        ends, wanted = time.monotonic() + seconds, len(self._asked["cookies"])
        while (found := self.report())["opened"] < wanted:
            assert not found["refused"], f"{found['refused']} handshakes were refused"
            assert time.monotonic() < ends, f"only {found['opened']} of {wanted} sockets opened"
            time.sleep(0.2)
        return found


def _read(text: bytes) -> tuple[int, bool, float | None]:
    """(events, whether it tells of a gap, the moment of the first event)."""
    found = text.find(b'"t":')
    told = float(text[found + 4 : found + 22].split(b",", 1)[0].split(b"}", 1)[0]) if found > 0 else None
    return text.count(b'"t":'), text.endswith(b'"gap":true}'), told


def _handshake(asked: dict[str, Any], cookie: str) -> bytes:
    """As Chromium asks, with the compression it offers."""
    lines = (
        f"GET {asked['path']} HTTP/1.1", f"Host: 127.0.0.1:{asked['port']}", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", f"Origin: {asked['origin']}",
        f"Cookie: sessionid={cookie}",
    )  # fmt: skip
    return "\r\n".join((*lines, "", "")).encode()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    crowd = Crowd(json.loads(await reader.readline()))
    opening = asyncio.create_task(crowd.open_all())
    while line := await reader.readline():
        if line.strip() == b"reset":
            crowd.reset()
        else:
            print(json.dumps(crowd.report()), flush=True)
    opening.cancel()


if __name__ == "__main__":
    import uvloop

    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    uvloop.run(_serve())
