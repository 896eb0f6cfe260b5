"""Lost H.264 pictures: gaps in frame_num (ITU-T H.264, 7.3.2.1.1, 7.3.3, 7.4.3), which decoders paint over."""

from __future__ import annotations

import re
from collections.abc import Iterator

_START = re.compile(b"\x00\x00\x01")
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_HEAD = 96
"""Bytes of a unit that hold everything read here."""


class _Bits:
    """Reads bits and Exp-Golomb codes of a unit whose emulation prevention is removed."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        """The next bits; raises ValueError past the end."""
        if count > self._left:
            raise ValueError("the unit is too short")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def golomb(self) -> int:
        """An unsigned Exp-Golomb code, ue(v)."""
        zeros = 0
        while self.take(1) == 0:
            zeros += 1
            if zeros > 32:
                raise ValueError("not an Exp-Golomb code")
        return (1 << zeros) - 1 + (self.take(zeros) if zeros else 0)

    def signed(self) -> int:
        """A signed Exp-Golomb code, se(v)."""
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)


class FrameNumbers:
    """Fed with every packet in order, tells whether a reference picture is missing before it."""

    def __init__(self, extradata: bytes) -> None:
        self._length_size = (extradata[4] & 3) + 1 if extradata[:1] == b"\x01" and len(extradata) > 6 else 0
        self._bits = 0
        self._separate = self._gaps_allowed = False
        self._last: int | None = None
        if self._length_size:
            size = int.from_bytes(extradata[6:8], "big")
            self._read_parameters(extradata[8 : 8 + size])
        else:
            for unit in self._units(extradata):
                if unit[0] & 31 == 7:
                    self._read_parameters(unit)

    def missing(self, packet: bytes) -> bool:
        """True if the numbering jumps. A packet that cannot be read counts as complete."""
        try:
            for unit in self._units(packet):
                kind = unit[0] & 31
                if kind == 7:
                    self._read_parameters(unit)
                elif kind in (1, 5):
                    return self._slice(unit, idr=kind == 5)
        except (ValueError, IndexError):
            self._last = None
        return False

    def _slice(self, unit: bytes, *, idr: bool) -> bool:
        if not self._bits:
            return False
        bits = _Bits(_unescape(unit[1:_HEAD]))
        for _ in range(3):  # first_mb_in_slice, slice_type, pic_parameter_set_id
            bits.golomb()
        if self._separate:
            bits.take(2)
        number = bits.take(self._bits)
        last, is_reference = self._last, bool(unit[0] & 0x60)
        if is_reference or idr:
            self._last = number
        if idr or last is None or self._gaps_allowed:
            return False
        return number not in (last, (last + 1) % (1 << self._bits))

    def _units(self, data: bytes) -> Iterator[bytes]:
        """The heads of the packet's units, Annex B or length-prefixed."""
        if self._length_size:
            position = 0
            while position + self._length_size < len(data):
                start = position + self._length_size
                size = int.from_bytes(data[position:start], "big")
                if size:
                    yield data[start : start + min(size, _HEAD)]
                position = start + size
            return
        for found in _START.finditer(data):
            if found.end() < len(data):
                yield data[found.end() : found.end() + _HEAD]

    def _read_parameters(self, unit: bytes) -> None:
        try:
            self._bits, self._separate, self._gaps_allowed, _ = _sequence(unit)
        except (ValueError, IndexError):
            self._bits = 0


def _unescape(data: bytes) -> bytes:
    return data.replace(b"\x00\x00\x03", b"\x00\x00")


def is_progressive(extradata: bytes) -> bool:
    """Whether parameter sets (Annex B) say that every picture is a whole frame."""
    for found in _START.finditer(extradata):
        unit = extradata[found.end() : found.end() + _HEAD]
        if unit and unit[0] & 31 == 7:
            try:
                return _sequence(unit)[3]
            except (ValueError, IndexError):
                return False
    return False


def _sequence(unit: bytes) -> tuple[int, bool, bool, bool]:
    """(bits of frame_num, separate_colour_plane, gaps allowed, frames only) of a sequence parameter set."""
    plain = _unescape(unit[1:_HEAD])
    profile, bits, separate = plain[0], _Bits(plain[3:]), False
    bits.golomb()
    if profile in _HIGH_PROFILES:
        chroma = bits.golomb()
        if chroma == 3:
            separate = bool(bits.take(1))
        bits.golomb()
        bits.golomb()
        bits.take(1)
        if bits.take(1):
            for index in range(12 if chroma == 3 else 8):
                if bits.take(1):
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    number_bits = bits.golomb() + 4
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.golomb()):
            bits.signed()
    bits.golomb()
    gaps_allowed = bool(bits.take(1))
    bits.golomb()
    bits.golomb()
    return number_bits, separate, gaps_allowed, bool(bits.take(1))


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last
