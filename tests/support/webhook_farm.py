"""Many webhook receivers in one cheap process: a port each, an answer after a fixed time, everything counted.

    with WebhookFarm(ports=100, wait=0.05) as farm:
        farm.urls            # http://127.0.0.1:<port>/hook
        farm.report()        # {"count", "unique", "first", "last", "ports": {port: count}, "cpu"}

Only the request's head and length are parsed. `hold=True` accepts, reads and never answers.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any, Self

from tests.support.steered import Steered

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Hook(asyncio.Protocol):
    """One keep-alive connection of the sender."""

    def __init__(self, port: int, tally: Tally) -> None:
        self.port, self.tally, self.rest = port, tally, b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember whom to answer."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Count every complete request and answer it later."""
        data = self.rest + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            head = data[:end].lower()
            size = end + 4 + int(_header(head, b"content-length") or 0)
            if len(data) < size:
                break
            self.tally.note(self.port, _header(head, b"webhook-id"))
            if not self.tally.hold:
                asyncio.get_running_loop().call_later(self.tally.wait, self._answer)
            data = data[size:]
        self.rest = data

    def _answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(ANSWER)


class Tally:
    """What came, by port and by message."""

    def __init__(self, wait: float, hold: bool) -> None:
        self.wait, self.hold = wait, hold
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.count, self.first, self.last = 0, 0.0, 0.0
        self.ports: dict[int, int] = {}
        self.messages: set[tuple[int, bytes]] = set()

    def note(self, port: int, message: bytes) -> None:
        """One request."""
        self.last = time.time()
        self.first = self.first or self.last
        self.count += 1
        self.ports[port] = self.ports.get(port, 0) + 1
        self.messages.add((port, message))

    def report(self) -> dict[str, Any]:
        """As JSON."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "count": self.count, "unique": len(self.messages), "first": self.first, "last": self.last,
            "ports": self.ports, "cpu": used.ru_utime + used.ru_stime,
        }  # fmt: skip


class WebhookFarm(Steered):
    """The process of the receivers."""

    def __init__(self, *, ports: int, wait: float = 0.0, hold: bool = False) -> None:
        asked = {"ports": ports, "wait": wait, "hold": hold}
        super().__init__("tests.support.webhook_farm", json.dumps(asked))
        self.ports: list[int] = []

    @property
    def urls(self) -> list[str]:
        """An endpoint each."""
        return [f"http://127.0.0.1:{port}/hook" for port in self.ports]

    @property
    def addresses(self) -> list[str]:
        """As VANTAGE_OUTBOUND_EXACT names them."""
        return [f"127.0.0.1:{port}" for port in self.ports]

    def __enter__(self) -> Self:
        super().__enter__()
        self.ports = self.read()
        return self


def _header(head: bytes, name: bytes) -> bytes:
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return b""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else len(head)].strip()


async def _serve(asked: dict[str, Any]) -> None:
    loop, tally, ports = asyncio.get_running_loop(), Tally(asked["wait"], asked["hold"]), []
    for _number in range(asked["ports"]):
        server = await loop.create_server(lambda: None, "127.0.0.1", 0)  # type: ignore[arg-type, return-value]
        port = int(server.sockets[0].getsockname()[1])
        server.close()
        await loop.create_server(lambda port=port: Hook(port, tally), "127.0.0.1", port)  # type: ignore[misc]
        ports.append(port)
    print(json.dumps(ports), flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if line.strip() == b"reset":
            tally.reset()
        else:
            print(json.dumps(tally.report()), flush=True)


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(json.loads(sys.argv[1])))
