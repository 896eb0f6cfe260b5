"""A camera that plays over RTSP, read by the stream's own thread in few large pieces.

FFmpeg opened it and is then shown nothing more: it made three system calls and two polls for each RTP packet,
which cost more than decoding what was due. Reading the conversation is now ours: a redirect ends the stream (FFmpeg
would not follow one here either), requests are answered, and the session is kept alive.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import struct
import time
from collections.abc import Iterator

from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources.relay import GATHER, Connection
from workers.vision.sources.rtp import Picture, Pictures
from workers.vision.sources.rtsp_words import Message, message_at

BUFFER = 384 * 1024
"""More than gathers while a holder naps, and more than the longest packet or message that is read whole."""
assert BUFFER > 2 * 65_540
GLANCE = 2048
"""Bytes in which nearly every message ends: not all that follows is copied to read one."""

_FRAME = struct.Struct(">BBH")
_DOLLAR = 0x24
_PAIR = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')
_ALIVE_AT_LEAST = 5.0
_DIGESTS = {"": "md5", "md5": "md5", "sha-256": "sha256"}


class Login:
    """Answers to the challenges of one server (RFC 7616, RFC 7617); '' where it asked for nothing that we know."""

    def __init__(self, user: str, password: str, challenges: list[str]) -> None:
        self._user, self._password = user, password
        self.challenges = challenges
        self._count = 1_000_000  # FFmpeg counted from 1 with the same nonce

    def header(self, method: str, uri: str) -> str:
        """The value of Authorization."""
        basic = ""
        for challenge in self.challenges:
            scheme, _, rest = challenge.partition(" ")
            if scheme.lower() == "digest":
                said = {match[1].lower(): match[2] or match[3] or "" for match in _PAIR.finditer(rest)}
                if answer := self._digest(said, method, uri):
                    return answer
            elif scheme.lower() == "basic":
                token = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
                basic = f"Basic {token}"
        return basic

    def _digest(self, said: dict[str, str], method: str, uri: str) -> str:
        name = _DIGESTS.get(said.get("algorithm", "").lower())
        if name is None:
            return ""

        def digest(text: str) -> str:
            return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

        realm, nonce = said.get("realm", ""), said.get("nonce", "")
        first, second = digest(f"{self._user}:{realm}:{self._password}"), digest(f"{method}:{uri}")
        words = {"username": self._user, "realm": realm, "nonce": nonce, "uri": uri}
        plain = ""
        if "auth" in re.split(r"[\s,]+", said.get("qop", "")):
            self._count += 1
            count, ours = f"{self._count:08x}", secrets.token_hex(8)
            words |= {"response": digest(f"{first}:{nonce}:{count}:{ours}:auth:{second}"), "cnonce": ours}
            plain = f", qop=auth, nc={count}"
        else:
            words["response"] = digest(f"{first}:{nonce}:{second}")
        words |= {key: said[key] for key in ("opaque", "algorithm") if said.get(key)}
        return "Digest " + ", ".join(f'{key}="{_quoted(value)}"' for key, value in words.items()) + plain


class Playing:
    """One connection to its end. gather: seconds that bytes may come together before they are read; None: GATHER."""

    def __init__(
        self, connection: Connection, pictures: Pictures, login: Login, *, channel: int, timeout: float
    ) -> None:
        self.gather: float | None = None
        self.pictures = pictures
        self._shown, self._agreed, self._login = connection.shown, connection.agreed, login
        self._uri, self._session = connection.uri, connection.session
        self._socket = connection.server
        self._socket.settimeout(timeout)
        self._timeout, self._channel = timeout, channel
        self._buffer = memoryview(bytearray(BUFFER))
        self._have = 0
        self._full = True
        self._read_at = self._pictured_at = time.monotonic()
        self._alive_every = max(_ALIVE_AT_LEAST, self._agreed.timeout / 2)
        self._alive_at = self._read_at
        self._number = 1000

    def __iter__(self) -> Iterator[Picture]:
        """Pictures until the camera hangs up. Raises OSError and SourceError."""
        ready = self.pictures.ready
        shown, self._shown = self._shown, b""
        for at in range(0, len(shown), BUFFER // 2):
            piece = shown[at : at + BUFFER // 2]
            self._buffer[self._have : self._have + len(piece)] = piece
            self._have += len(piece)
            self._take()
            while ready:
                yield ready.popleft()
        del shown
        while self._fill():
            self._take()
            while ready:
                yield ready.popleft()
                self._pictured_at = self._read_at

    def _fill(self) -> bool:
        """Read what has come; False when the camera hung up."""
        wait = self._read_at + (GATHER if self.gather is None else self.gather) - time.monotonic()
        if wait > 0 and not self._full:
            time.sleep(wait)
        room = BUFFER - self._have
        count = self._socket.recv_into(self._buffer[self._have :])
        self._full = count == room
        self._have += count
        self._read_at = now = time.monotonic()
        if now - self._alive_at > self._alive_every:
            self._alive_at = now
            self._keep_alive()
        if now - self._pictured_at > 2 * self._timeout:
            raise TimeoutError("bytes, but no pictures")
        return count > 0

    def _take(self) -> None:
        """Take apart what lies in the buffer; a rest that is not whole moves to its beginning."""
        buffer, have, at, channel = self._buffer, self._have, 0, self._channel
        pictures = self.pictures
        while have - at >= 4:
            mark, number, length = _FRAME.unpack_from(buffer, at)
            if mark == _DOLLAR:
                end = at + 4 + length
                if end > have:
                    break
                if number == channel:
                    pictures.packet(buffer, at + 4, end)
                elif number == channel + 1:
                    pictures.report(buffer, at + 4, end)
            else:
                end = self._other(at)
                if end == at:
                    break
            at = end
        self._have = have - at
        if at:
            buffer[: self._have] = buffer[at:have]

    def _other(self, at: int) -> int:
        """What is no packet: a message, or bytes of no meaning. Where it ends; at where it is not whole."""
        start = bytes(self._buffer[at : min(self._have, at + GLANCE)])
        if not start[:1].isupper():
            blank = len(start) - len(start.lstrip(b"\r\n"))
            found = start.find(b"$" + bytes((self._channel,)))
            return at + (blank or (found if found > 0 else max(1, len(start) - 1)))
        message = message_at(start)
        if message is None and self._have - at > GLANCE:
            message = message_at(bytes(self._buffer[at : self._have]))
        if message is None:
            if self._have - at >= BUFFER // 2:
                raise SourceError(SourceFault.TOO_LARGE, "The server sent more than is allowed.")
            return at
        self._hear(message)
        return at + message.end

    def _hear(self, message: Message) -> None:
        if message.status == 401 and message.values("www-authenticate") != self._login.challenges:
            self._login.challenges = message.values("www-authenticate")
            self._alive_at = float("-inf")
        if not message.status:
            method = message.start.partition(" ")[0]
            status = (
                "200 OK" if method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER") else "501 Not Implemented"
            )
            number = (message.values("cseq") or ["0"])[0][:20]
            self._say(f"RTSP/1.0 {status}", f"CSeq: {number}")

    def _keep_alive(self) -> None:
        method = "GET_PARAMETER" if "GET_PARAMETER" in self._agreed.methods else "OPTIONS"
        uri, self._number = self._uri, self._number + 1
        lines = [f"CSeq: {self._number}", f"Session: {self._session}"]
        if login := self._login.header(method, uri):
            lines.append(f"Authorization: {login}")
        self._say(f"{method} {uri} RTSP/1.0", *lines)

    def _say(self, *lines: str) -> None:
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
