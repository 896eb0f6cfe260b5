"""Pictures out of RTP packets: H.264 (RFC 6184) and H.265 (RFC 7798), not interleaved, as Annex B.

This runs for each packet of 1,400 bytes of every camera, so it does little: fragments are kept as they come and
joined once for each picture. What is lost or out of place makes a picture corrupt, never an error.
"""

from __future__ import annotations

import re
import struct
from collections import deque
from dataclasses import dataclass

from workers.vision.errors import SourceError, SourceFault

MOST_PICTURE = 32 << 20
"""Bytes of one picture, each piece counted with PIECE more."""
PIECE = 64
START_CODE = b"\x00\x00\x00\x01"
NTP_EPOCH = 2_208_988_800

_HEAD = struct.Struct(">BBHI")
_REPORT = struct.Struct(">BBHIIII")
_VIDEO = re.compile(r"(?m)^m=video \d+ \S+ (\d{1,3})\s*$")
_INTERLEAVED = re.compile(
    r"(?i)packetization-mode\s*=\s*2|sprop-(?:max-don-diff|depack-buf-nalus)\s*=\s*0*[1-9]"
)
_SENDER_REPORT = 200
_FRAGMENT = {"h264": 28, "hevc": 49}
_GROUP = {"h264": 24, "hevc": 48}


def payload_type(description: str) -> int | None:
    """The number of the one video format of an SDP; None where there is no such, or its units come out of order."""
    found = _VIDEO.findall(description)
    return None if len(found) != 1 or _INTERLEAVED.search(description) else int(found[0])


@dataclass(slots=True)
class Picture:
    """One access unit. pts: ticks since the first one, rising over the wrap of 32 bits."""

    data: bytes
    pts: int
    is_keyframe: bool
    corrupt: bool


class Pictures:
    """Fed with the packets of one stream in order; whole pictures are taken from `ready`."""

    def __init__(self, codec: str, payload: int) -> None:
        self.ready: deque[Picture] = deque()
        self._payload = payload
        self._is_h264 = codec == "h264"
        self._fragment, self._group = _FRAGMENT[codec], _GROUP[codec]
        self._head = 1 if self._is_h264 else 2
        self._pieces: list[bytes] = []
        self._size = 0
        self._open = self._has_slice = self._is_key = self._corrupt = False
        self._moment: int | None = None
        self._pts = 0
        self._is_marked = False
        self._marks_slices = False
        self._report: tuple[float, int] | None = None

    def packet(self, data: memoryview, at: int, end: int) -> None:
        """One RTP packet in data[at:end]. Raises SourceError (TOO_LARGE)."""
        if end - at <= 12:
            return
        first, kind, _, moment = _HEAD.unpack_from(data, at)
        if first != 0x80:
            at, end = _unwrapped(data, at, end, first)
        at += 12
        if kind & 0x7F != self._payload or end - at <= self._head:
            return
        if moment != self._moment:
            self._turn(moment)
        head = data[at]
        unit = head & 31 if self._is_h264 else (head >> 1) & 63
        if unit == self._fragment:
            self._take_fragment(data, at, end)
        elif unit == self._group:
            self._take_group(data, at + self._head, end)
        elif unit < self._group:
            self._begin(unit, data[at + self._head])
            self._add(START_CODE + data[at:end])
        else:
            self._corrupt = True
        if kind & 0x80 and self._has_slice and not self._open and not self._marks_slices:
            self._finish()
            self._is_marked = True

    def _take_fragment(self, data: memoryview, at: int, end: int) -> None:
        start = at + self._head
        flags = data[start]
        if flags & 0x80 and end - start > 1:
            unit = flags & 31 if self._is_h264 else flags & 63
            self._begin(unit, data[start + 1])
            self._open = True
            if self._is_h264:
                self._add(START_CODE + bytes((data[at] & 0xE0 | unit,)))
            else:
                self._add(START_CODE + bytes((data[at] & 0x81 | unit << 1, data[at + 1])))
        elif not self._open:
            self._corrupt = True
            return
        self._add(bytes(data[start + 1 : end]))
        if flags & 0x40:
            self._open = False

    def _take_group(self, data: memoryview, at: int, end: int) -> None:
        while end - at > 2:
            size = data[at] << 8 | data[at + 1]
            at += 2
            if not self._head < size <= end - at:
                self._corrupt = True
                return
            head = data[at]
            self._begin(head & 31 if self._is_h264 else (head >> 1) & 63, data[at + self._head])
            self._add(START_CODE + data[at : at + size])
            at += size

    def _begin(self, unit: int, following: int) -> None:
        """A unit begins; following: the byte behind its header."""
        self._corrupt = self._corrupt or self._open
        self._open = False
        if (0 < unit < 6) if self._is_h264 else unit < 32:
            if self._is_marked and not following & 0x80:
                # Not the first slice of a picture that was said to be whole: this camera marks every slice.
                self._marks_slices = True
            self._has_slice = True
            self._is_key = self._is_key or (unit == 5 if self._is_h264 else 16 <= unit <= 23)

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece) + PIECE
        if self._size > MOST_PICTURE:
            raise SourceError(SourceFault.TOO_LARGE, "The server sent more than is allowed.")

    def _turn(self, moment: int) -> None:
        """Packets of another time begin."""
        if self._has_slice:
            self._finish()
        if self._moment is not None:
            self._pts += _step(moment - self._moment)
        self._moment = moment
        self._is_marked = False

    def _finish(self) -> None:
        data = b"".join(self._pieces)
        is_key = self._is_key or (self._is_h264 and is_recovery_point(data))
        self.ready.append(Picture(data, self._pts, is_key, self._corrupt or self._open))
        self._pieces = []
        self._size = 0
        self._open = self._has_slice = self._is_key = self._corrupt = False

    def report(self, data: memoryview, at: int, end: int) -> None:
        """One RTCP packet in data[at:end]: what the camera's clock says of the stream's."""
        if end - at >= 20:
            _, kind, _, _, seconds, fraction, moment = _REPORT.unpack_from(data, at)
            if kind == _SENDER_REPORT and seconds > NTP_EPOCH:
                self._report = (seconds - NTP_EPOCH + fraction / 2**32, moment)

    def clock(self, pts: int) -> float | None:
        """The camera's time (seconds since 1970) of a picture at so many ticks of 1/90,000 s; None if it never said."""
        if self._report is None or self._moment is None:
            return None
        at, moment = self._report
        return at + (pts - self._pts - _step(moment - self._moment)) / 90_000


def _step(difference: int) -> int:
    """A difference of 32-bit counters as the nearer way round."""
    return (difference + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000


def _unwrapped(data: memoryview, at: int, end: int, first: int) -> tuple[int, int]:
    """(start, end) without list of sources, extension and padding; an empty span for what is no RTP."""
    if first >> 6 != 2:
        return at, at
    at += 4 * (first & 15)
    if first & 0x10:
        if end - at < 16:
            return at, at
        at += 4 + 4 * (data[at + 14] << 8 | data[at + 15])
    if first & 0x20:
        end -= data[end - 1]
    return at, end


def is_recovery_point(data: bytes) -> bool:
    """Whether a picture of H.264 says, in a message before its slices, that decoding can begin with it."""
    at = 0
    while data[at : at + 4] == START_CODE and at + 4 < len(data):
        unit = data[at + 4] & 31
        if 0 < unit < 6:
            return False
        following = data.find(START_CODE, at + 4)
        if following < 0:
            return False
        if unit == 6 and _has_recovery(data[at + 5 : following]):
            return True
        at = following
    return False


def _has_recovery(message: bytes) -> bool:
    at = 0
    while at + 2 < len(message):
        kind = size = 0
        while message[at] == 0xFF and at + 2 < len(message):
            kind, at = kind + 255, at + 1
        kind, at = kind + message[at], at + 1
        while message[at] == 0xFF and at + 1 < len(message):
            size, at = size + 255, at + 1
        size, at = size + message[at], at + 1
        if kind == 6:
            return True
        at += size
    return False
