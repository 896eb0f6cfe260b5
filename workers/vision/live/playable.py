"""Which codecs a browser plays, and in words why the others are shown as snapshots."""

from __future__ import annotations

REMUXED = {"h264": "avc1", "hevc": "hvc1"}

_REASONS = {
    "mpeg4": "MPEG-4 Part 2 is not played by browsers; snapshots are shown instead.",
    "gif": "An animated GIF is not a video stream; snapshots are shown instead.",
    "mjpeg": "Motion JPEG is not played as a video stream; snapshots are shown instead.",
    "images": "A folder of images is not a video stream; snapshots are shown instead.",
    "mpeg2video": "MPEG-2 is not played by browsers; snapshots are shown instead.",
    "mpeg1video": "MPEG-1 is not played by browsers; snapshots are shown instead.",
}


def browser_reason(codec: str) -> str:
    """Why a browser cannot play this codec (FFmpeg's name); '' for H.264.

    H.265 is remuxed as well; codec_note says that not every browser has it.
    """
    if codec in REMUXED:
        return ""
    if codec.startswith(("msmpeg4", "wmv")):
        return "Microsoft MPEG-4 is not played by browsers; snapshots are shown instead."
    return _REASONS.get(
        codec, "This codec is not played by browsers as a live stream; snapshots are shown instead."
    )


HEVC_NOTE = "H.265 plays only in browsers with an H.265 decoder; elsewhere snapshots are shown."


def codec_note(codec: str) -> str:
    """A remark to show beside a playable stream; '' if none is needed."""
    return HEVC_NOTE if codec == "hevc" else ""
