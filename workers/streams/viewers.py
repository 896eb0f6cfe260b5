"""Live viewers on a Unix socket: the web asks for a camera, the holder's bytes go out unchanged.

The client sends one JSON line `{"camera", "stream_url", "transport"}`; the answer is one JSON line
`{"type": "mpegts", "codec": ""}` and then raw chunks, or `{"error": code, "message": words}`.
One picture is asked for as `workers.vision.holder.asking` says.
The socket is 0600: who may open it is the web process of this node, which has checked the right.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from workers.vision.holder import StreamHolder, StreamState, StreamWish
from workers.vision.holder.asking import head_of
from workers.vision.live import LiveViewer
from workers.vision.sources import SourceOptions

logger = logging.getLogger(__name__)
LINGER = 10.0
OPEN_SECONDS = 13.0
MOST_REQUEST = 16 * 1024
SEND_SECONDS = 10.0
MOST_PICTURE_SECONDS = 20.0


class Viewers:
    """Who watches what; `wishes` are the streams to be held for them, LINGER seconds beyond the last."""

    def __init__(self, path: str, holder: StreamHolder, options: Callable[[str], SourceOptions]) -> None:
        self.path = Path(path)
        self.changed = threading.Event()
        self._holder, self._options = holder, options
        self._lock = threading.Lock()
        self._watching: dict[str, int] = {}
        self._left: dict[str, float] = {}
        self._wishes: dict[str, StreamWish] = {}
        self._ended = threading.Event()
        self._listener: socket.socket | None = None

    def start(self) -> None:
        """Listen."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listener.bind(str(self.path))
        finally:
            os.umask(before)
        listener.listen(64)
        self._listener = listener
        threading.Thread(target=self._accept, name="viewers", daemon=True).start()

    def stop(self) -> None:
        """Listen no more; open players end with the holder."""
        self._ended.set()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self.path.unlink(missing_ok=True)

    def wishes(self) -> dict[str, StreamWish]:
        """Streams somebody watches, or watched until a moment ago."""
        moment = time.monotonic()
        with self._lock:
            for camera in [key for key, left in self._left.items() if moment - left > LINGER]:
                del self._left[camera]
                self._wishes.pop(camera, None)
            return dict(self._wishes)

    @property
    def number(self) -> int:
        """Open players."""
        return sum(self._watching.values())

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="viewer", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = _read_request(connection)
                camera = str(UUID(str(request["camera"])))
                if request.get("op") == "picture" and "stream_url" not in request:
                    self._give_picture(connection, camera, request)
                    return
                wish = StreamWish(
                    str(request["stream_url"]),
                    live=True,
                    options=self._options(str(request.get("transport", "auto"))),
                )
            except (OSError, ValueError, KeyError, TypeError):
                _answer(connection, {"error": "bad_request", "message": "one JSON line is expected"})
                return
            self._enter(camera, wish)
            try:
                if request.get("op") == "picture":
                    self._give_picture(connection, camera, request)
                else:
                    self._play(connection, camera)
            except (OSError, ValueError, TypeError):
                pass
            finally:
                self._leave(camera)

    def _enter(self, camera: str, wish: StreamWish) -> None:
        with self._lock:
            self._watching[camera] = self._watching.get(camera, 0) + 1
            self._left.pop(camera, None)
            self._wishes[camera] = wish
        self.changed.set()

    def _leave(self, camera: str) -> None:
        with self._lock:
            self._watching[camera] -= 1
            if self._watching[camera] == 0:
                del self._watching[camera]
                self._left[camera] = time.monotonic()

    def _play(self, connection: socket.socket, camera: str) -> None:
        viewer, refusal = self._open(camera)
        if viewer is None:
            _answer(connection, refusal)
            return
        with viewer:
            _answer(connection, {"type": "mpegts", "codec": ""})
            connection.settimeout(SEND_SECONDS)
            while not self._ended.is_set() and not viewer.closed:
                chunk = viewer.read(1.0)
                if _has_left(connection):
                    return
                if chunk is not None:
                    connection.sendall(chunk.data)

    def _give_picture(self, connection: socket.socket, camera: str, request: dict[str, Any]) -> None:
        seconds = min(MOST_PICTURE_SECONDS, float(request.get("seconds", 10.0)))
        ends = time.monotonic() + seconds
        if "stream_url" in request:
            refusal = self._wait_for(camera, ends)
            if refusal:
                _answer(connection, refusal)
                return
        left = max(0.0, ends - time.monotonic())
        frame = self._holder.picture(camera, float(request.get("max_age", 5.0)), left)
        if frame is None:
            _answer(connection, {"error": "no_picture", "message": "The holder has no fresh picture."})
            return
        connection.settimeout(SEND_SECONDS)
        connection.sendall(head_of(frame))
        connection.sendall(frame.image.tobytes())

    def _wait_for(self, camera: str, ends: float) -> dict[str, Any]:
        """Until the camera is connected; what to answer if it is not by then."""
        while time.monotonic() < ends and not self._ended.is_set():
            status = self._holder.status().get(camera)
            if status is not None and status.state in {StreamState.ONLINE, StreamState.DEGRADED}:
                return {}
            if status is not None and status.state == StreamState.OFFLINE:
                return {"error": status.cause, "message": status.message}
            time.sleep(0.05)
        return {"error": "timeout", "message": "The camera did not answer in time."}

    def _open(self, camera: str) -> tuple[LiveViewer | None, dict[str, Any]]:
        ends = time.monotonic() + OPEN_SECONDS
        while not (refusal := self._wait_for(camera, ends)):
            status = self._holder.status().get(camera)
            if status is not None and status.live_reason:
                return None, {"error": "unsupported_codec", "message": status.live_reason}
            viewer = self._holder.view(camera)
            if viewer is not None:
                return viewer, {}
            time.sleep(0.05)
        return None, refusal


def _read_request(connection: socket.socket) -> dict[str, Any]:
    connection.settimeout(5.0)
    line = b""
    while not line.endswith(b"\n"):
        piece = connection.recv(4096)
        line += piece
        if not piece or len(line) > MOST_REQUEST:
            raise ValueError("no complete line")
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _answer(connection: socket.socket, answer: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(answer).encode() + b"\n")


def _has_left(connection: socket.socket) -> bool:
    """Did the client close its side? Asked without waiting: a socket with a timeout would wait for data."""
    poller = select.poll()
    poller.register(connection, select.POLLIN)
    if not poller.poll(0):
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True
