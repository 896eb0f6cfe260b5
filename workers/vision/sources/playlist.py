"""Reading HLS playlists (RFC 8216): only what is needed to fetch segments ourselves."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workers.vision.errors import SourceError, SourceFault

MAX_LINES = 20_000
MAX_SEGMENTS = 10_000
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')


@dataclass(frozen=True, slots=True)
class Variant:
    """One rendition of a master playlist; bandwidth in bit/s."""

    bandwidth: int
    uri: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of media; number counts from the playlist's media sequence; duration in seconds."""

    number: int
    uri: str
    duration: float


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """target: longest duration, seconds. ended: no more segments will come. map_uri: fMP4 header or ''."""

    target: float
    ended: bool
    segments: tuple[Segment, ...]
    map_uri: str


def parse_playlist(data: bytes) -> tuple[Variant, ...] | MediaPlaylist:
    """Variants of a master playlist, or a media playlist. The error's text never quotes the data."""
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise _bad("The playlist is not text.") from None
    if not lines or lines[0] != "#EXTM3U":
        raise _bad("The answer is not an HLS playlist.")
    if len(lines) > MAX_LINES:
        raise SourceError(SourceFault.TOO_LARGE, "The playlist has too many lines.")
    if any(line.startswith("#EXT-X-STREAM-INF:") for line in lines):
        return _variants(lines)
    return _media(lines)


def _variants(lines: list[str]) -> tuple[Variant, ...]:
    found: list[Variant] = []
    bandwidth: int | None = None
    for line in lines:
        if line.startswith("#EXT-X-STREAM-INF:"):
            bandwidth = int(_number(_attributes(line).get("BANDWIDTH", "0")))
        elif line and not line.startswith("#") and bandwidth is not None:
            found.append(Variant(bandwidth, line))
            bandwidth = None
    if not found:
        raise _bad("The playlist lists no stream.")
    return tuple(found)


def _media(lines: list[str]) -> MediaPlaylist:
    segments: list[Segment] = []
    number, target, duration, ended, map_uri = 0, 6.0, 0.0, False, ""
    for line in lines:
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-TARGETDURATION":
            target = min(60.0, max(0.5, _number(value)))
        elif tag == "#EXT-X-MEDIA-SEQUENCE":
            number = int(_number(value))
        elif tag == "#EXTINF":
            duration = _number(value.partition(",")[0])
        elif tag == "#EXT-X-ENDLIST":
            ended = True
        elif tag == "#EXT-X-MAP":
            map_uri = _attributes(line).get("URI", "")
            _no_ranges("BYTERANGE" in _attributes(line))
        elif tag == "#EXT-X-BYTERANGE":
            _no_ranges(True)
        elif tag == "#EXT-X-KEY":
            if _attributes(line).get("METHOD", "NONE") != "NONE":
                raise SourceError(SourceFault.UNSUPPORTED_CODEC, "The HLS stream is encrypted.")
        elif line and not line.startswith("#"):
            segments.append(Segment(number + len(segments), line, duration))
    if len(segments) > MAX_SEGMENTS:
        raise SourceError(SourceFault.TOO_LARGE, "The playlist lists too many segments.")
    return MediaPlaylist(target, ended, tuple(segments), map_uri)


def _attributes(line: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(line.partition(":")[2])}


def _number(text: str) -> float:
    try:
        value = float(text.strip())
    except ValueError:
        raise _bad("The playlist contains an invalid number.") from None
    if not 0 <= value < 2**53:
        raise _bad("The playlist contains an invalid number.")
    return value


def _no_ranges(used: bool) -> None:
    if used:
        raise SourceError(SourceFault.UNSUPPORTED_CODEC, "HLS byte ranges are not supported.")


def _bad(message: str) -> SourceError:
    return SourceError(SourceFault.CORRUPT, message)
