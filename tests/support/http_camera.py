"""A threaded loopback HTTP server that behaves like a camera: endless MPEG-TS or FLV, playlists, bad answers.

It can be stopped (its connections are reset) and started again on the same port.
"""

from __future__ import annotations

import contextlib
import io
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av

Route = Callable[["CameraHandler"], None]


class CameraHandler(BaseHTTPRequestHandler):
    """Looks the path up in the camera's routes; says nothing on stderr."""

    protocol_version = "HTTP/1.1"
    camera: HttpCamera

    def do_GET(self) -> None:
        camera = self.camera
        camera.requests.append((self.path, dict(self.headers)))
        camera.sockets.add(self.connection)
        route = camera.routes.get(self.path.partition("?")[0])
        try:
            if route is None:
                self.answer(b"", status=404)
            else:
                route(self)
        except OSError:
            pass
        finally:
            camera.sockets.discard(self.connection)
            self.close_connection = True

    def answer(self, body: bytes, *, kind: str = "text/plain", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


class HttpCamera:
    """start() and stop() may be repeated; the port stays. A context manager."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.sockets: set[socket.socket] = set()
        self.running = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def start(self) -> HttpCamera:
        handler = type("Handler", (CameraHandler,), {"camera": self})
        server = type("Server", (ThreadingHTTPServer,), {"request_queue_size": 256})
        self._server = server(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        self.running.set()
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening and reset every open connection."""
        self.running.clear()
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        for connection in list(self.sockets):
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def __enter__(self) -> HttpCamera:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def add(self, path: str, body: bytes, kind: str = "application/octet-stream", status: int = 200) -> None:
        """A fixed answer."""
        self.routes[path] = lambda handler: handler.answer(body, kind=kind, status=status)

    def add_redirect(self, path: str, to: str) -> None:
        self.routes[path] = lambda handler: handler.answer(b"", status=302, Location=to)

    def add_live(
        self, path: str, clip: bytes, *, pace: float | None = None, kind: str = "video/mp2t"
    ) -> None:
        """The clip for ever with rising timestamps; pace = seconds a packet, default the clip's own speed."""

        def serve(handler: CameraHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", kind)
            handler.send_header("Connection", "close")
            handler.end_headers()
            send_live(handler.wfile.write, clip, self.running, pace, "flv" if "flv" in kind else "mpegts")

        self.routes[path] = serve

    def add_once(self, path: str, clip: bytes) -> None:
        """The clip at its own speed for the first visitor; afterwards the camera has no such stream."""

        def serve(handler: CameraHandler) -> None:
            del self.routes[path]
            handler.send_response(200)
            handler.send_header("Content-Type", "video/mp2t")
            handler.send_header("Connection", "close")
            handler.end_headers()
            send_live(handler.wfile.write, clip, self.running, None, "mpegts", once=True)

        self.routes[path] = serve


class _Out(io.RawIOBase):
    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._send(bytes(data))
        return len(data)


def send_live(
    send: Callable[[bytes], object],
    clip: bytes,
    running: threading.Event,
    pace: float | None,
    container: str,
    *,
    once: bool = False,
) -> None:
    """Remux the clip's packets in a loop (or once), shifting their times, until running is cleared."""
    with av.open(io.BytesIO(clip)) as source:
        stream = source.streams.video[0]
        packets = [packet for packet in source.demux(stream) if packet.size]
        gap = packets[1].dts - packets[0].dts
        length = packets[-1].dts - packets[0].dts + gap
        seconds = float(gap * stream.time_base) if pace is None else pace
        options = {"flush_packets": "1"}
        output = av.open(_Out(send), "w", format=container, options=options)
        try:
            target = output.add_stream_from_template(stream)
            start, number = time.monotonic(), 0
            with contextlib.suppress(OSError, av.error.FFmpegError):
                while running.is_set():
                    for packet in packets:
                        copy = av.Packet(bytes(packet))
                        shift = (number // len(packets)) * length
                        copy.pts, copy.dts = packet.pts + shift, packet.dts + shift
                        copy.time_base, copy.is_keyframe = packet.time_base, packet.is_keyframe
                        copy.stream = target
                        output.mux(copy)
                        number += 1
                        delay = start + number * seconds - time.monotonic()
                        if delay > 0:
                            time.sleep(delay)
                        if not running.is_set():
                            break
                    if once:
                        break
        finally:
            with contextlib.suppress(OSError, av.error.FFmpegError):
                output.close()
