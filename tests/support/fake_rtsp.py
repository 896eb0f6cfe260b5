"""An RTSP server that answers as a test wants it to: any status for any method, digest login, a short clip.

`FakeRtsp(answers={"SETUP": b"RTSP/1.0 302 …"})` replaces whole answers ({cseq} is filled in). It plays H.264
interleaved in TCP, again and again; `requests` keeps what was asked as (method, uri, headers).
"""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType

from tests.support.clips import make_clip

NONCE = "0a4f113b"
REALM = "camera"


class Listener:
    """Counts who connects to a free loopback port and answers nobody."""

    def __init__(self) -> None:
        self.visits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._socket.accept()
                self.visits += 1
                self.visit(caller)

    def visit(self, caller: socket.socket) -> None:
        caller.close()

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


class FakeRtsp(Listener):
    """One RTSP camera, one viewer at a time."""

    def __init__(
        self,
        *,
        answers: dict[str, bytes] | None = None,
        login: tuple[str, str] | None = None,
        packets: list[bytes] | None = None,
        pause: float = 0.02,
    ) -> None:
        super().__init__()
        self.answers, self.login, self.pause = answers or {}, login, pause
        self.packets = packets
        self.requests: list[tuple[str, str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        login = f"{self.login[0]}:{self.login[1]}@" if self.login else ""
        return f"rtsp://{login}127.0.0.1:{self.port}/camera"

    def visit(self, caller: socket.socket) -> None:
        with caller, suppress(OSError):
            caller.settimeout(10)
            ahead = b""
            while piece := caller.recv(65536):
                ahead += piece
                while b"\r\n\r\n" in ahead:
                    text, _, ahead = ahead.partition(b"\r\n\r\n")
                    if not self._reply(caller, text.decode()):
                        return

    def _reply(self, caller: socket.socket, text: str) -> bool:
        first, *lines = text.split("\r\n")
        method, uri, _ = first.split(" ")
        headers = dict(line.split(": ", 1) for line in lines)
        self.requests.append((method, uri, headers))
        head = f"RTSP/1.0 200 OK\r\nCSeq: {headers['CSeq']}\r\nSession: 1\r\n"
        if method in self.answers:
            caller.sendall(self.answers[method].replace(b"{cseq}", headers["CSeq"].encode()))
        elif self.login and not self._knows(method, uri, headers.get("Authorization", "")):
            wanted = f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}"\r\n'
            caller.sendall(head.replace("200 OK", "401 Unauthorized").encode() + wanted.encode() + b"\r\n")
        elif method == "DESCRIBE":
            sdp = self._sdp()
            kind = f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n"
            caller.sendall(head.encode() + kind.encode() + sdp)
        elif method == "SETUP":
            caller.sendall(head.encode() + f"Transport: {headers['Transport']}\r\n\r\n".encode())
        else:
            caller.sendall(head.encode() + b"\r\n")
        if method == "PLAY" and "PLAY" not in self.answers:
            with suppress(ConnectionError):  # a viewer that left may have said goodbye before
                self._play(caller)
        return method != "TEARDOWN"

    def _knows(self, method: str, uri: str, given: str) -> bool:
        def digest(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        assert self.login
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
        whole = f"{digest(f'{self.login[0]}:{REALM}:{self.login[1]}')}:{NONCE}:{digest(f'{method}:{uri}')}"
        return said.get("response") == digest(whole) and said.get("uri") == uri

    def _units(self) -> list[bytes]:
        if self.packets is None:
            clip = make_clip(frames=10, gop=5, container="h264")
            self.packets = [unit for unit in re.split(rb"\x00\x00\x00?\x01", clip) if unit]
        return self.packets

    def _sdp(self) -> bytes:
        sets = b",".join(base64.b64encode(u) for u in self._units() if u[0] & 31 in (7, 8)).decode()
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
            "a=rtpmap:96 H264/90000\r\na=control:track1\r\n"
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n"
        ).encode()

    def _play(self, caller: socket.socket) -> None:
        """Send packets until the viewer says anything (which is its farewell here)."""
        caller.setblocking(True)
        number, moment = 0, 0
        while True:
            for unit in self._units():
                picture = unit[0] & 31 in (1, 5)
                moment += 3600 if picture else 0
                head = bytes([0x80, 0xE0 if picture else 0x60]) + (number % 65536).to_bytes(2, "big")
                packet = head + (moment % 2**32).to_bytes(4, "big") + b"\0\0\0\1" + unit
                caller.sendall(b"$\0" + len(packet).to_bytes(2, "big") + packet)
                number += 1
                time.sleep(self.pause if picture else 0)
            with suppress(BlockingIOError):
                if caller.recv(4, socket.MSG_PEEK | socket.MSG_DONTWAIT)[:1] != b"$":
                    return
                caller.recv(65536)  # receiver reports
