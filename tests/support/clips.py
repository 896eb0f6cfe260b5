"""Synthetic clips made with PyAV, and the real ones where the shared folder is present."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import av
import av.filter
import numpy as np

SHARED = next(
    (
        folder
        for folder in (parent / "shared" / "media" for parent in Path(__file__).resolve().parents)
        if folder.is_dir()
    ),
    Path(__file__).resolve().parents[3] / "shared" / "media",
)
VIDEOS = SHARED / "videos"

Painter = Callable[[int], np.ndarray]


def moving_picture(width: int = 320, height: int = 180, seed: int = 0) -> Painter:
    """A textured scene that slides by, with a block that moves the other way."""
    rng = np.random.default_rng(seed)
    small = rng.integers(30, 220, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    base = np.repeat(np.repeat(small, 8, 0), 8, 1)[:height, :width]

    def paint(index: int) -> np.ndarray:
        image = np.roll(base, index * 2, axis=1)
        left = (index * 5) % max(1, width - 40)
        image[height // 3 : height // 3 + 40, left : left + 40] = (40, 200, 40)
        return image

    return paint


def test_picture(width: int, height: int, fps: int) -> Painter:
    """FFmpeg's testsrc2, one picture after another."""
    graph = av.filter.Graph()
    source = graph.add("testsrc2", f"size={width}x{height}:rate={fps}")
    plain, sink = graph.add("format", "bgr24"), graph.add("buffersink")
    source.link_to(plain)
    plain.link_to(sink)
    graph.configure()
    return lambda index: graph.pull().to_ndarray()


test_picture.__test__ = False  # type: ignore[attr-defined]


def make_clip(
    *,
    frames: int = 50,
    gop: int = 10,
    width: int = 320,
    height: int = 180,
    fps: int = 25,
    codec: str = "libx264",
    container: str = "mpegts",
    paint: Painter | None = None,
    options: dict[str, str] | None = None,
) -> bytes:
    """An encoded clip in memory; no B pictures, a keyframe every `gop` frames."""
    paint = paint or moving_picture(width, height)
    target = io.BytesIO()
    settings = {"preset": "ultrafast", "g": str(gop), "bf": "0", "sc_threshold": "0", "keyint_min": str(gop)}
    if codec == "libx265":
        params = f"log-level=none:keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:pools=1:frame-threads=1"
        settings = {"preset": "ultrafast", "x265-params": params}
    if codec == "mpeg4":
        settings = {"g": str(gop)}
    with av.open(target, "w", format=container) as output:
        stream = output.add_stream(codec, rate=fps, options={**settings, **(options or {})})
        stream.codec_context.thread_count = 1  # one slice a picture, as cameras send
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(frames):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(paint(index), format="bgr24")))
        output.mux(stream.encode())
    return target.getvalue()


def write_clip(path: Path, **settings: object) -> Path:
    """make_clip written to a file."""
    path.write_bytes(make_clip(**settings))  # type: ignore[arg-type]
    return path
