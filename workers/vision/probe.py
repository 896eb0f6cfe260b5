"""Trying a source before it is saved: what it is, how it looks, whether a browser plays it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from workers.vision.errors import SourceError, SourceFault
from workers.vision.frames import Frame
from workers.vision.live.playable import browser_reason
from workers.vision.sources import AddressPolicy, SourceOptions, VideoSource, open_source


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """What a trial of some seconds found.

    fps: measured where the stream does not say. gop: packets between keyframes (the largest seen), 0 where
    fewer than two keyframes came. browser_reason: why a browser cannot play it, '' if it can.
    clock_offset: seconds the far end's clock is ahead, None where unknown.
    """

    codec: str
    width: int
    height: int
    fps: float
    gop: int
    has_audio: bool
    first_picture: Frame
    browser_playable: bool
    browser_reason: str
    clock_offset: float | None


@dataclass(slots=True)
class _Seen:
    packets: int = 0
    first_pts: float | None = None
    last_pts: float | None = None
    last_key: int | None = None
    gop: int = 0
    picture: Frame | None = None

    def fps(self) -> float:
        if self.first_pts is None or self.last_pts is None or self.last_pts <= self.first_pts:
            return 0.0
        return (self.packets - 1) / (self.last_pts - self.first_pts)


def probe(
    url: str,
    policy: AddressPolicy | None,
    seconds: float = 6.0,
    *,
    options: SourceOptions | None = None,
    max_packets: int = 1500,
) -> Probe:
    """Open, watch until two keyframes came or `seconds` passed, close. Raises SourceError in words."""
    options = replace(options or SourceOptions(), audio=True)
    with open_source(url, policy=policy, options=options) as source:
        seen = _watch(source, seconds, max_packets)
        if seen.picture is None:
            raise SourceError(SourceFault.NO_KEYFRAME, "The stream sent no undamaged keyframe.")
        info = source.info
        reason = browser_reason(info.codec)
        return Probe(
            codec=info.codec,
            width=seen.picture.width,
            height=seen.picture.height,
            fps=round(info.fps or seen.fps(), 2),
            gop=seen.gop,
            has_audio=info.has_audio,
            first_picture=seen.picture,
            browser_playable=not reason,
            browser_reason=reason,
            clock_offset=source.clock_offset,
        )


def _watch(source: VideoSource, seconds: float, max_packets: int) -> _Seen:
    seen = _Seen()
    start = time.monotonic()
    for packet in source:
        if packet.is_keyframe:
            if seen.picture is None:
                seen.picture = source.decode_keyframe(packet)
            if seen.last_key is not None:
                seen.gop = max(seen.gop, packet.index - seen.last_key)
            seen.last_key = packet.index
        seen.packets += 1
        if packet.pts is not None:
            seen.first_pts = packet.pts if seen.first_pts is None else min(seen.first_pts, packet.pts)
            seen.last_pts = packet.pts if seen.last_pts is None else max(seen.last_pts, packet.pts)
        enough = seen.picture is not None and (seen.gop > 0 or time.monotonic() - start > seconds)
        # A stream without a picture yet is given twice the time: a long GOP is no fault.
        if enough or seen.packets >= max_packets or time.monotonic() - start > 2 * seconds + 8:
            break
    return seen
