"""What is said over RTSP before the picture flows: taken apart, checked and said again in our own words.

FFmpeg never sees the server's own bytes of this phase, so it cannot read them otherwise than we did.
"""

from __future__ import annotations

import re

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


class ServerWords:
    """The server's side until PLAY is answered. address is the vetted IP literal."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._ahead = bytearray()
        self.play_is_asked = False
        """FFmpeg has sent PLAY; from there on it follows no redirect, whatever it reads."""
        self.is_playing = False
        """PLAY was granted: what comes from now on is passed on unread."""

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
        out += self._ahead
        self._ahead.clear()
        return bytes(out)

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
        found = _END_OF_HEAD.search(self._ahead, 0, MAX_HEAD)
        if found is None:
            if len(self._ahead) >= MAX_HEAD:
                raise SourceError(SourceFault.TOO_LARGE, "The server sent more than is allowed.")
            return b""
        first, *lines = self._ahead[: found.start()].decode("latin-1").replace("\r", "").split("\n")
        headers = [(match[1], _clean(match[2])) for line in lines if (match := _HEADER.match(line))]
        # Redirects are refused before their body is waited for.
        start = self._first_line(_clean(first), {name.lower(): value for name, value in headers})
        length = _body_length(headers)
        if len(self._ahead) < found.end() + length:
            return b""
        self._note(start)
        body = self._cut(found.end() + length)[found.end() :]
        return _written(start, [self._pinned(name, value) for name, value in headers], body)

    def _first_line(self, line: str, headers: dict[str, str]) -> str:
        """The status or request line in our own writing."""
        if status := _STATUS.match(line):
            if 300 <= int(status[1]) < 400:
                raise _redirect(headers)
            return f"RTSP/1.0 {status[1]} {status[2] or ''}".rstrip()
        if request := _REQUEST.match(line):
            if request[1] == "REDIRECT":
                raise _redirect(headers)
            return f"{request[1]} {request[2]} RTSP/1.0"
        raise SourceError(SourceFault.CORRUPT, "The server's answer is not valid RTSP.")

    def _note(self, start: str) -> None:
        if self.play_is_asked and start.startswith("RTSP/"):
            self.is_playing = start.startswith("RTSP/1.0 200")
            self.play_is_asked = self.is_playing  # after a 401 FFmpeg asks once more

    def _pinned(self, name: str, value: str) -> tuple[str, str]:
        """Over UDP FFmpeg sends to the source named here: that may only be the address that was vetted."""
        if name.lower() != "transport":
            return name, value
        parts = [part for part in value.split(";") if not part.strip().lower().startswith("source")]
        return name, ";".join([*parts, f"source={self._address}"])


class ClientWords:
    """FFmpeg's side, watched for PLAY; nothing of it is changed."""

    def __init__(self) -> None:
        self._ahead = bytearray()

    def asks_play(self, data: bytes) -> bool:
        """True when a request for PLAY is complete with these bytes."""
        self._ahead += data
        *whole, rest = self._ahead.split(b"\r\n\r\n")
        self._ahead = bytearray(rest)
        return any(message.startswith(b"PLAY ") for message in whole)


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
