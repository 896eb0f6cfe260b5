"""A relay on loopback between FFmpeg's RTSP demuxer and the one vetted address.

FFmpeg follows a 3xx answer to OPTIONS or DESCRIBE by itself, to an address that nobody vetted, and no option
forbids it. (The build in use, 8.1, does check the new scheme against protocol_whitelist, older ones nothing.)
Over UDP it also sends its opening packets to whatever `source` an answer to SETUP names. So it never talks to
the camera: it connects to this relay, which holds the connection to the vetted address, reads what is said until
PLAY is granted (rtsp_words) and ends everything on a redirect. FFmpeg asks for PLAY only after the phase in
which it would follow one; from then on bytes pass unread.

Where we can put pictures together ourselves (playing.py) FFmpeg is only shown the first packets: take_over() ends
the relay's thread and gives the connection to the caller, with a copy of all that FFmpeg was shown since PLAY.

The camera reads 127.0.0.1 and the relay's port as the host of the requested address, as it would behind a
forwarded port. Over UDP only the conversation goes this way; the packets reach FFmpeg directly. What FFmpeg
sends over UDP (opening packets, receiver reports) goes to the vetted address, at a port that the camera names.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from dataclasses import dataclass

from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources.faults import as_source_error
from workers.vision.sources.options import SourceOptions
from workers.vision.sources.rtsp_words import Agreed, ClientWords, ServerWords

BUFFER = 128 * 1024
GATHER = 0.005
"""Seconds to let packets of one picture come together: one turn for each picture, not for each packet."""
MOST_SHOWN = 8 << 20
"""Bytes kept of what FFmpeg was shown; a camera that sends more while it is opened stays with FFmpeg."""
ASK_EVERY = 50
"""Milliseconds between looks whether somebody takes over."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A camera that plays. shown: what it sent since it granted PLAY."""

    server: socket.socket
    shown: bytes
    agreed: Agreed
    uri: str
    session: str


class Relay:
    """Serves one connection of this process from a thread of its own; owned by the opened source."""

    def __init__(self, address: str, port: int, options: SourceOptions) -> None:
        """Connect to the address (an IP literal) and listen. Raises SourceError."""
        self.failure: SourceError | None = None
        self.gather: float | None = None
        self.gathers = False
        self._lock = threading.Lock()
        self._stopping = False
        try:
            self._server = socket.create_connection((address, port), timeout=options.connect_timeout)
        except OSError as error:
            raise as_source_error(error) from None
        self._sockets = [self._server]
        try:
            self._server.settimeout(None)
            self._server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Of the same family, as FFmpeg opens its UDP ports in the family that it connects by.
            self.host = "::1" if ":" in address else "127.0.0.1"
            self._listener = socket.create_server((self.host, 0), family=self._server.family, backlog=16)
        except OSError as error:
            self._server.close()
            raise as_source_error(error) from None
        self._sockets.append(self._listener)
        self.port: int = self._listener.getsockname()[1]
        self._client: socket.socket | None = None
        self._words = ServerWords(address)
        self._requests = ClientWords()
        self._shown: bytearray | None = bytearray()
        self._is_given = self._is_kept = self._is_over = False
        self._thread = threading.Thread(target=self._run, name="rtsp-relay", daemon=True)
        self._thread.start()

    @property
    def agreed(self) -> Agreed:
        """What was agreed upon so far."""
        return self._words.agreed

    def keep(self) -> None:
        """Nobody will take over."""
        self._is_kept, self._shown = True, None

    def take_over(self) -> Connection | None:
        """The connection to the camera, for the caller to read from now on; FFmpeg hears no more of it.

        None where that cannot be: it does not play, or sent too much. It is still this object that closes it.
        """
        with self._lock:
            client, shown = self._client, self._shown
            if client is None or shown is None or self._is_over or not self._words.is_playing:
                return None
            self._is_given = True
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)  # wakes a thread that waits for FFmpeg to read
        self._thread.join()
        if self.failure is not None:
            return None
        self._shown = None
        words = self._requests
        return Connection(self._server, bytes(shown), self._words.agreed, words.uri, words.session)

    def abort(self) -> None:
        """End both connections at once; safe from any thread, never waits."""
        with self._lock:
            if not self._stopping and self.failure is None:
                self.failure = SourceError(SourceFault.CLOSED, "The source was closed.")
        self._cut()

    def close(self) -> None:
        """Free everything. After FFmpeg hung up its last words are still passed on."""
        with self._lock, contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(1.0)
        if self._thread.is_alive():
            self._cut()
            self._thread.join()
        if self._is_given and self._client is not None:
            with contextlib.suppress(OSError):
                self._server.settimeout(1.0)
                self._to_server(self._client, memoryview(bytearray(BUFFER)))
            self._free()

    def _free(self) -> None:
        with self._lock:
            for each in self._sockets:
                each.close()

    def _cut(self) -> None:
        with self._lock:
            self._stopping = True
            for each in self._sockets:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        try:
            self._client = self._accept()
            if self._client is not None:
                self._serve(self._client)
        finally:
            if not self._is_given:
                self._free()

    def _accept(self) -> socket.socket | None:
        """FFmpeg's connection; None when the source is closed before it came. Strangers are hung up on."""
        client: socket.socket | None = None
        with contextlib.suppress(OSError):
            while client is None:
                caller, _ = self._listener.accept()
                if is_own(caller):
                    client = caller
                else:
                    caller.close()
        with self._lock:
            self._listener.close()
            self._sockets = [self._server] + ([client] if client is not None else [])
            return None if self._stopping else client

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._pass(client)
        except (OSError, SourceError) as error:
            with self._lock:
                if not self._stopping:
                    self.failure = as_source_error(error)
        with self._lock:
            self._is_over = not self._is_given
        if self._is_given:
            return
        # The server is let go at once. FFmpeg may still read what was sent, finds the end, and hangs up itself.
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)
            while client.recv(BUFFER):
                pass

    def _pass(self, client: socket.socket) -> None:
        """Pass bytes both ways until one side ends. Raises what the server's side or its words raise."""
        poller = select.poll()
        for each in (client, self._server):
            poller.register(each, select.POLLIN)
        buffer = memoryview(bytearray(BUFFER))
        full = False
        while not self._is_given:
            ready = {number for number, _ in poller.poll(None if self._is_kept else ASK_EVERY)}
            if self._words.is_playing and not full:
                time.sleep(GATHER if self.gather is None else self.gather / 4)
            if client.fileno() in ready and not self._to_server(client, buffer):
                return
            if self._server.fileno() in ready:
                count = self._server.recv_into(buffer)
                full = count == BUFFER
                if not count or not self._to_client(client, buffer[:count]):
                    return

    def _to_server(self, client: socket.socket, buffer: memoryview) -> bool:
        """Pass on what FFmpeg says; False when it has hung up."""
        try:
            count = client.recv_into(buffer, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if count and not self._words.play_is_asked:
            self._words.play_is_asked = self._requests.asks_play(bytes(buffer[:count]))
        self._server.sendall(buffer[:count])
        return count > 0

    def _to_client(self, client: socket.socket, data: memoryview) -> bool:
        """Pass on what the server says; False when FFmpeg has hung up."""
        if not self._words.is_playing:
            data = memoryview(self._words.take(bytes(data)))
            if self._words.is_playing:
                self._remember(self._words.media)
        else:
            self._remember(data)
        try:
            client.sendall(data)
        except OSError:
            with contextlib.suppress(OSError):
                self._to_server(client, memoryview(bytearray(BUFFER)))  # its farewell lies there still
            return False
        return True

    def _remember(self, data: bytes | memoryview) -> None:
        shown = self._shown
        if shown is not None:
            shown += data
            if len(shown) > MOST_SHOWN and not self._is_given:
                self._shown = None


def is_own(caller: socket.socket) -> bool:
    """Whether the other end of this loopback connection is a socket of this very process."""
    ends = (caller.getpeername()[:2], caller.getsockname()[:2])
    for name in os.listdir("/dev/fd"):
        try:
            other = socket.socket(caller.family, socket.SOCK_STREAM, 0, fileno=int(name))
        except OSError:
            continue
        try:
            if (other.getsockname()[:2], other.getpeername()[:2]) == ends:
                return True
        except OSError:
            continue
        finally:
            other.detach()  # it is not ours to close
    return False
