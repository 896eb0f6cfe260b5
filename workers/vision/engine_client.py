"""The engine's client: synchronous, reconnecting, with timeouts; `EnginePool` for many threads.

client = EngineClient(path)
results = client.analyse([{"frame": {"path": …, "time_us": …, "camera": …, "preset": 0}, "executions": [spec]}])
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workers.vision.inference.results import Result
from workers.vision.inference.wire import WireError, receive, send


class EngineError(Exception):
    """The engine answered with an error; `code` is its stable code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class EngineUnavailable(EngineError):
    """No engine listens, it went away in the middle, or it did not answer in time. Trying again is safe.

    `went_away`: an engine was there and ended while this request was with it.
    """

    def __init__(self, message: str, *, went_away: bool = False) -> None:
        super().__init__("engine_unavailable", message)
        self.went_away = went_away


class EngineClient:
    """One connection, for one thread at a time."""

    def __init__(self, path: Path | str, *, timeout: float = 60.0, connect_timeout: float = 5.0) -> None:
        self.path = str(path)
        self.timeout = timeout
        self.connect_timeout = connect_timeout
        self._connection: socket.socket | None = None

    def analyse(
        self, items: Sequence[Mapping[str, Any]], *, timeout: float | None = None
    ) -> list[list[Result]]:
        """Per item one result per execution, in order. Raises `EngineUnavailable` or `EngineError`."""
        answer = self.call({"op": "analyse", "items": list(items)}, timeout=timeout)
        results: list[list[Result]] = answer["results"]
        if len(results) != len(items):
            raise EngineError("bad_answer", f"{len(results)} answers to {len(items)} items")
        return results

    def ping(self) -> bool:
        """Does an engine answer?"""
        try:
            return bool(self.call({"op": "ping"}, timeout=self.connect_timeout).get("pong"))
        except EngineError:
            return False

    def stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = self.call({"op": "stats"})["stats"]
        return stats

    def unload(self) -> int:
        """Close the models nobody uses right now; returns how many."""
        return int(self.call({"op": "unload"})["unloaded"])

    def call(self, request: Mapping[str, Any], *, timeout: float | None = None) -> dict[str, Any]:
        """Send one request, return its answer. A connection that went stale between calls is opened anew."""
        fresh = self._connection is None
        try:
            return self._exchange(request, timeout)
        except (WireError, BrokenPipeError, ConnectionResetError) as error:
            self.close()
            if fresh:
                raise EngineUnavailable(f"the engine went away: {error}", went_away=True) from error
        except TimeoutError as error:
            self.close()  # a late answer must not be taken for the next one
            raise EngineUnavailable(f"no answer within {timeout or self.timeout:.0f} s") from error
        except OSError as error:
            self.close()
            raise EngineUnavailable(f"no engine listens on {self.path}: {error.strerror}") from error
        try:
            return self.call(request, timeout=timeout)
        except EngineUnavailable as error:
            # The connection was good once, and now nobody listens; an engine that is slow has not ended.
            error.went_away = not isinstance(error.__cause__, TimeoutError)
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> EngineClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exchange(self, request: Mapping[str, Any], timeout: float | None) -> dict[str, Any]:
        connection = self._connection or self._connect()
        connection.settimeout(timeout or self.timeout)
        send(connection, request)
        answer = receive(connection)
        if answer is None:
            raise WireError("the engine closed the connection")
        if "error" in answer:
            raise EngineError(str(answer["error"]), str(answer.get("message", "")))
        return dict(answer)

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self.connect_timeout)
        try:
            connection.connect(self.path)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection


class EnginePool:
    """Thread-safe: lends each caller a connection, at most `size` at once; others wait."""

    def __init__(self, path: Path | str, *, size: int = 4, timeout: float = 60.0) -> None:
        self.path = str(path)
        self._timeout = timeout
        self._free: queue.LifoQueue[EngineClient] = queue.LifoQueue()
        for _ in range(size):
            self._free.put(EngineClient(path, timeout=timeout))
        self._size = size
        self._closed = threading.Event()

    def analyse(
        self, items: Sequence[Mapping[str, Any]], *, timeout: float | None = None
    ) -> list[list[Result]]:
        with self.client() as client:
            return client.analyse(items, timeout=timeout)

    def stats(self) -> dict[str, Any]:
        with self.client() as client:
            return client.stats()

    def ping(self) -> bool:
        with self.client() as client:
            return client.ping()

    @contextlib.contextmanager
    def client(self) -> Iterator[EngineClient]:
        """A connection for the length of the block; raises `EngineUnavailable` when none becomes free."""
        if self._closed.is_set():
            raise EngineUnavailable("the pool is closed")
        try:
            client = self._free.get(timeout=self._timeout)
        except queue.Empty:
            raise EngineUnavailable("all connections to the engine are busy") from None
        try:
            yield client
        finally:
            if self._closed.is_set():
                client.close()
            self._free.put(client)

    def close(self) -> None:
        self._closed.set()
        for _ in range(self._size):
            with contextlib.suppress(queue.Empty):
                self._free.get_nowait().close()


def wait_for_engine(path: Path | str, seconds: float = 30.0) -> bool:
    """Wait until an engine answers there; False when it did not within `seconds`."""
    deadline = time.monotonic() + seconds
    with EngineClient(path, connect_timeout=1.0) as client:
        while time.monotonic() < deadline:
            if client.ping():
                return True
            time.sleep(0.05)
    return False
