"""The engine behind a Unix socket: one thread per connection, N threads for the frames of all of them.

The socket is 0600: who may open it may name any file this process can read.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from workers.vision.inference.engine import FrameRef
from workers.vision.inference.results import Result, not_analysed
from workers.vision.inference.wire import WireError, receive, send
from workers.vision.outcomes import Reason

log = logging.getLogger(__name__)


class Analyses(Protocol):
    """What the server serves: the engine itself, or the pool of child engines."""

    def analyse(
        self, frame: Any, specs: Sequence[Mapping[str, Any]], *, may_fall_back: bool = True
    ) -> list[Result]: ...

    def stats(self) -> dict[str, Any]: ...

    def unload(self) -> int: ...


class SocketTaken(RuntimeError):
    """Another living engine listens there."""


class EngineServer:
    """`start`, then `stop`; after `stop` returns every accepted request has been answered."""

    def __init__(self, path: Path, engine: Analyses, threads: int | None = None) -> None:
        self.path = path
        self.threads = threads or max(os.cpu_count() or 1, 1)
        self._engine = engine
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="engine")
        self._connections: set[socket.socket] = set()
        self._handlers: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._waiting = 0
        self._started = time.monotonic()
        self._operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "ping": lambda _request: {"pong": True, "pid": os.getpid()},
            "stats": lambda _request: {"stats": self.stats()},
            "unload": lambda _request: {"unloaded": self._engine.unload()},
            "analyse": self._analyse,
        }

    def start(self) -> None:
        """Listen; a stale socket is removed, a living engine's is a `SocketTaken`."""
        _clear_stale(self.path)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)  # the file must never be open to others, not even for a moment
        try:
            self._listener.bind(str(self.path))
        finally:
            os.umask(before)
        self._listener.listen(128)
        self._acceptor = threading.Thread(target=self._accept, name="engine-accept", daemon=True)
        self._acceptor.start()
        log.info("engine listens on %s with %d threads", self.path, self.threads)

    def stop(self, timeout: float = 10.0) -> None:
        """No new work; what was accepted is finished and answered, within `timeout` seconds."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink(missing_ok=True)
        with self._lock:
            connections, handlers = list(self._connections), list(self._handlers)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)  # readers see the end, answers still go out
        deadline = time.monotonic() + timeout
        for handler in handlers:
            handler.join(max(deadline - time.monotonic(), 0.0))
        self._pool.shutdown(wait=False, cancel_futures=True)

    def stats(self) -> dict[str, Any]:
        return {
            **self._engine.stats(),
            "threads": self.threads,
            "queue": self._waiting,
            "connections": len(self._connections),
            "uptime_s": round(time.monotonic() - self._started, 1),
            "pid": os.getpid(),
        }

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            handler = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._connections.add(connection)
                self._handlers.add(handler)
                handler.start()  # inside the lock: `stop` joins whatever is listed

    def _serve(self, connection: socket.socket) -> None:
        try:
            while not self._stopping.is_set():
                request = receive(connection)
                if request is None:
                    return
                send(connection, self._answer(request))
        except (WireError, OSError) as error:
            log.debug("an engine connection ended: %s", error)
        finally:
            with self._lock:
                self._connections.discard(connection)
                self._handlers.discard(threading.current_thread())
            connection.close()

    def _answer(self, request: Any) -> dict[str, Any]:
        operation = request.get("op") if isinstance(request, dict) else None
        if operation not in self._operations:
            known = ", ".join(sorted(self._operations))
            return {"error": "unknown_operation", "message": f"unknown op {operation!r}; known: {known}"}
        try:
            return self._operations[operation](request)
        except (KeyError, TypeError, ValueError) as error:
            return {"error": "bad_request", "message": f"{type(error).__name__}: {error}"}
        except Exception:
            log.exception("operation %s failed", operation)
            return {"error": "engine_error", "message": "the engine failed; its log says how"}

    def _analyse(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Frames of one camera one after the other in the order of their times, cameras side by side."""
        items = [(FrameRef.from_dict(item["frame"]), item) for item in request["items"]]
        chains: dict[tuple[str, int], list[int]] = {}
        for index, (_, item) in enumerate(items):
            _ = item["executions"]  # a bad request is refused before any of it is begun
            camera = str(item["frame"].get("camera", index))
            chains.setdefault((camera, int(item["frame"].get("preset", 0))), []).append(index)
        results: list[list[Result]] = [[] for _ in items]
        if not chains:
            return {"results": results}
        with self._lock:
            self._waiting += len(items)
        for chain in chains.values():
            chain.sort(key=lambda index: items[index][0].time)
        # As many tasks as threads, not as chains, and waited for once: a thread that wakes for every frame takes the
        # processor from those that run models.
        left = deque(chains.values())
        tasks = [
            self._pool.submit(self._run_chains, items, left, results)
            for _ in range(min(self.threads, len(left)))
        ]
        for task in tasks:
            with contextlib.suppress(CancelledError):  # the engine stops; `wait` would not notice
                task.result()
        if not all(
            len(found) == len(item["executions"]) for found, (_, item) in zip(results, items, strict=True)
        ):
            raise RuntimeError("the engine stopped before all frames were analysed")
        return {"results": results}

    def _run_chains(
        self, items: Sequence[tuple[FrameRef, Any]], left: deque[list[int]], results: list[list[Result]]
    ) -> None:
        while True:
            try:
                chain = left.popleft()
            except IndexError:
                return
            self._run_chain(items, chain, results)

    def _run_chain(
        self, items: Sequence[tuple[FrameRef, Any]], chain: Sequence[int], results: list[list[Result]]
    ) -> None:
        for index in chain:
            frame, item = items[index]
            specs = item["executions"]
            options = {} if item.get("may_fall_back", True) else {"may_fall_back": False}
            try:
                results[index] = self._engine.analyse(frame, specs, **options)
            except Exception:
                log.exception("a frame of camera %s failed", item["frame"].get("camera"))
                results[index] = [
                    not_analysed(str(spec.get("execution", "")), Reason.ENGINE_ERROR) for spec in specs
                ]
            finally:
                with self._lock:
                    self._waiting -= 1


def _clear_stale(path: Path) -> None:
    """Remove the socket of an engine that is gone; refuse to touch anything else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketTaken(f"{path} exists and is no socket")
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(2.0)
    try:
        probe.connect(str(path))
    except (ConnectionRefusedError, FileNotFoundError):
        path.unlink(missing_ok=True)
    else:
        raise SocketTaken(f"an engine listens on {path} already")
    finally:
        probe.close()
