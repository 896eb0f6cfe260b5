"""A real HTTP receiver of webhooks on loopback: scripted answers, every visit recorded and verified."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook


@dataclass(frozen=True, slots=True)
class Reply:
    """What the receiver answers; `wait` seconds before it."""

    status: int = 204
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Visit:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def message(self) -> str:
        """The webhook-id."""
        return self.headers.get("webhook-id", "")

    @property
    def document(self) -> Any:
        """The JSON document."""
        return json.loads(self.body)

    def verified(self, secret: str) -> Any:
        """The document, after the standardwebhooks package has verified signature and time."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """`with Receiver(500, 500, 204) as receiver:`; statuses or Replies in order, the last one repeats."""

    def __init__(self, *replies: int | Reply) -> None:
        self.replies = [reply if isinstance(reply, Reply) else Reply(reply) for reply in replies] or [Reply()]
        self.visits: list[Visit] = []
        self.acknowledged: set[str] = set()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its endpoint."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def address(self) -> str:
        """host:port, as VANTAGE_OUTBOUND_EXACT names it."""
        return f"127.0.0.1:{self.port}"

    @property
    def messages(self) -> list[str]:
        """The webhook-ids in order of arrival."""
        return [visit.message for visit in self.visits]

    def wait_for(self, count: int, seconds: float = 15.0) -> list[Visit]:
        """The visits, once there are `count`; AssertionError when they do not come."""
        end = time.perf_counter() + seconds
        while len(self.visits) < count and time.perf_counter() < end:
            time.sleep(0.02)
        assert len(self.visits) >= count, f"{len(self.visits)} of {count} visits came"
        return self.visits

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, visit: Visit) -> Reply:
        with self._lock:
            self.visits.append(visit)
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                visit = Visit(self.command, self.path, headers, self.rfile.read(length), time.time())
                reply = receiver._answer(visit)
                time.sleep(reply.wait)
                with contextlib.suppress(OSError):  # the sender may have given up
                    self._reply(reply)
                    if 200 <= reply.status < 300:
                        receiver.acknowledged.add(visit.message)

            def _reply(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            do_POST = do_GET = _serve

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        return Handler
