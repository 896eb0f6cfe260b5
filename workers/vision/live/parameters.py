"""Making each keyframe playable by itself: parameter sets in front where the stream leaves them out."""

from __future__ import annotations

import re

from av.video.stream import VideoStream

_START = re.compile(b"\x00\x00\x01")
_START_CODES = (b"\x00\x00\x01", b"\x00\x00\x00\x01")


def with_parameters(data: bytes, stream: VideoStream) -> bytes:
    """The keyframe with the stream's SPS and PPS (and VPS) in front, if it is Annex B and has none itself.

    Length-prefixed streams (MP4, FLV) are left alone: the muxer converts them.
    """
    context = stream.codec_context
    extradata = bytes(context.extradata or b"")
    if not extradata.startswith(_START_CODES) or not data.startswith(_START_CODES):
        return data
    for found in _START.finditer(data, 0, 4096):
        if found.end() >= len(data):
            break
        header = data[found.end()]
        if (header & 31) == 7 if context.name == "h264" else ((header >> 1) & 63) == 33:
            return data
    return extradata + data
