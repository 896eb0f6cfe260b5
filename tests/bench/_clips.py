"""Synthetic clips of 1080p25 at 4 Mbit/s, made once and kept between runs; and how benches open files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from tests.support.clips import make_clip, test_picture
from workers.vision.sources import SourceOptions

FPS, BITRATE, SECONDS = 25, "4M", 10
CODECS = {"h264": "libx264", "h265": "libx265"}


def default_cache() -> Path:
    """Where the clips are kept between runs."""
    return Path(tempfile.gettempdir()) / f"vantage-bench-{os.getuid()}"


def clip(cache: Path, codec: str = "h264", gop: int = 50) -> Path:
    """Ten seconds of FFmpeg's moving test picture as MPEG-TS; codec h264 or h265."""
    encoder = CODECS[codec]
    path = cache / f"{encoder}-testsrc2-1080p{FPS}-{gop}-{SECONDS}s.ts"
    if path.exists():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(f".{os.getpid()}")
    rate = {"b": BITRATE, "maxrate": BITRATE, "bufsize": "8M", "preset": "veryfast"}
    made.write_bytes(
        make_clip(
            frames=SECONDS * FPS,
            gop=gop,
            width=1920,
            height=1080,
            fps=FPS,
            codec=encoder,
            paint=test_picture(1920, 1080, FPS),
            options=rate,
        )
    )
    made.replace(path)
    return path


def options_for(path: Path, **changes: Any) -> SourceOptions:
    """Options under which a file may be opened."""
    return SourceOptions(file_roots=(path.parent,), **changes)
