"""What is said over RTSP before the picture flows: taken apart, checked and said again in our own words.

FFmpeg never sees the server's own bytes of this phase, so it cannot read them otherwise than we did.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources.urls import mask_url

MAX_HEAD = 32 * 1024
MAX_BODY = 1 << 20
REDIRECTED = "The server redirects elsewhere; redirects are not followed."

_END_OF_HEAD = re.compile(rb"\n\r*\n")
_STATUS = re.compile(r"RTSP/\S*\s+(\d{3})(?:\s+(.*))?\Z")
_REQUEST = re.compile(r"([A-Z_]{1,32})\s+(\S+)\s+RTSP/\d\.\d\s*\Z")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,63})\s*:\s*(.*)\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TIMEOUT = re.compile(r"(?i);\s*timeout\s*=\s*(\d{1,5})")
_CHANNEL = re.compile(r"(?i);\s*interleaved\s*=\s*(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Message:
    """One answer (status) or request (status 0) of the server. start: its first line in our own writing."""

    start: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    end: int
    """Where in the bytes it ends."""

    def values(self, name: str) -> list[str]:
        """What the headers of this name (lower case) say."""
        return [value for given, value in self.headers if given.lower() == name]


@dataclass(slots=True)
class Agreed:
    """What server and FFmpeg agreed upon before PLAY, for whoever goes on in FFmpeg's place."""

    description: str = ""
    methods: str = ""
    challenges: list[str] = field(default_factory=list)
    timeout: float = 60.0
    channels: list[int] = field(default_factory=list)

    def note(self, message: Message) -> None:
        """Keep what an answer tells."""
        if message.status == 401:
            self.challenges = message.values("www-authenticate")
        if message.status != 200:
            return
        self.methods = ",".join(message.values("public")) or self.methods
        if found := [_TIMEOUT.search(value) for value in message.values("session")]:
            self.timeout = float(found[-1][1]) if found[-1] else self.timeout
        self.channels += [
            int(match[1]) for text in message.values("transport") for match in _CHANNEL.finditer(text)
        ]
        if message.body.startswith(b"v=0"):
            self.description = message.body.decode("latin-1")


def message_at(data: bytes | bytearray) -> Message | None:
    """The message that these bytes begin with; None while it is not whole.

    Raises SourceError: REFUSED for a redirect, CORRUPT for what is no RTSP, TOO_LARGE.
    """
    found = _END_OF_HEAD.search(data, 0, MAX_HEAD)
    if found is None:
        if len(data) >= MAX_HEAD:
            raise SourceError(SourceFault.TOO_LARGE, "The server sent more than is allowed.")
        return None
    first, *lines = data[: found.start()].decode("latin-1").replace("\r", "").split("\n")
    headers = [(match[1], _clean(match[2])) for line in lines if (match := _HEADER.match(line))]
    # Redirects are refused before their body is waited for.
    start, status = _first_line(_clean(first), {name.lower(): value for name, value in headers})
    end = found.end() + _body_length(headers)
    if len(data) < end:
        return None
    return Message(start, status, headers, bytes(data[found.end() : end]), end)


class ServerWords:
    """The server's side until PLAY is answered. address is the vetted IP literal."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._ahead = bytearray()
        self.agreed = Agreed()
        self.play_is_asked = False
        """FFmpeg has sent PLAY; from there on it follows no redirect, whatever it reads."""
        self.is_playing = False
        """PLAY was granted: what comes from now on is passed on unread."""
        self.media = b""
        """What came together with the answer to PLAY, behind it."""

    def take(self, data: bytes) -> bytes:
        """What FFmpeg may read of these bytes and those kept back before.

        Raises SourceError: REFUSED for a redirect, CORRUPT for what is no RTSP, TOO_LARGE.
        """
        self._ahead += data
        out = bytearray()
        while not self.is_playing:
            piece = self._frame() if self._starts_frame() else self._message()
            if not piece:
                return bytes(out)
            out += piece
        self.media = bytes(self._ahead)
        self._ahead.clear()
        return bytes(out) + self.media

    def _starts_frame(self) -> bool:
        blank = len(self._ahead) - len(self._ahead.lstrip(b"\r\n"))
        del self._ahead[:blank]
        return self._ahead[:1] == b"$"

    def _frame(self) -> bytes:
        """One interleaved packet (4 bytes of head: '$', channel, length), b'' while it is not whole."""
        end = 4 + int.from_bytes(self._ahead[2:4], "big")
        return self._cut(end) if len(self._ahead) >= max(4, end) else b""

    def _cut(self, end: int) -> bytes:
        piece = bytes(self._ahead[:end])
        del self._ahead[:end]
        return piece

    def _message(self) -> bytes:
        """One answer or request, rewritten; b'' while it is not whole."""
        message = message_at(self._ahead)
        if message is None:
            return b""
        del self._ahead[: message.end]
        self.agreed.note(message)
        if self.play_is_asked and message.status:
            self.is_playing = self.play_is_asked = message.status == 200  # after a 401 FFmpeg asks once more
        return _written(message.start, [self._pinned(*pair) for pair in message.headers], message.body)

    def _pinned(self, name: str, value: str) -> tuple[str, str]:
        """Over UDP FFmpeg sends to the source named here: that may only be the address that was vetted."""
        if name.lower() != "transport":
            return name, value
        parts = [part for part in value.split(";") if not part.strip().lower().startswith("source")]
        return name, ";".join([*parts, f"source={self._address}"])


def _first_line(line: str, headers: dict[str, str]) -> tuple[str, int]:
    """The status or request line in our own writing, and the status (0: a request)."""
    if status := _STATUS.match(line):
        if 300 <= int(status[1]) < 400:
            raise _redirect(headers)
        return f"RTSP/1.0 {status[1]} {status[2] or ''}".rstrip(), int(status[1])
    if request := _REQUEST.match(line):
        if request[1] == "REDIRECT":
            raise _redirect(headers)
        return f"{request[1]} {request[2]} RTSP/1.0", 0
    raise SourceError(SourceFault.CORRUPT, "The server's answer is not valid RTSP.")


class ClientWords:
    """FFmpeg's side, watched for PLAY; nothing of it is changed."""

    def __init__(self) -> None:
        self._ahead = bytearray()
        self.uri = self.session = ""
        """What FFmpeg asked to be played last."""

    def asks_play(self, data: bytes) -> bool:
        """True when a request for PLAY is complete with these bytes."""
        self._ahead += data
        *whole, rest = self._ahead.split(b"\r\n\r\n")
        self._ahead = bytearray(rest)
        plays = [message for message in whole if message.startswith(b"PLAY ")]
        for message in plays:
            first, *lines = message.decode("latin-1").split("\r\n")
            self.uri = first.split(" ")[1]
            self.session = next((line[9:] for line in lines if line.startswith("Session: ")), "")
        return bool(plays)


def _clean(text: str) -> str:
    return _CONTROL.sub("", text).strip()


def _body_length(headers: list[tuple[str, str]]) -> int:
    told = {value for name, value in headers if name.lower() == "content-length"}
    if not told:
        return 0
    value = told.pop()
    if told or not (value.isascii() and value.isdigit()):
        raise SourceError(SourceFault.CORRUPT, "The server's answer is not valid RTSP.")
    if len(value) > 9 or int(value) > MAX_BODY:
        raise SourceError(SourceFault.TOO_LARGE, "The server sent more than is allowed.")
    return int(value)


def _written(start: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    kept = [pair for pair in headers if pair[0].lower() not in ("location", "content-length")]
    if body:
        kept.append(("Content-Length", str(len(body))))
    lines = [start, *(f"{name}: {value}" for name, value in kept)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _redirect(headers: dict[str, str]) -> SourceError:
    target = mask_url(headers.get("location", ""))[:200] or "nowhere"
    return SourceError(SourceFault.REFUSED, REDIRECTED, detail=f"redirect to {target}")
