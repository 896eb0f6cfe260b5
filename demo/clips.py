"""Renders the named clips once into a cache folder: H.264 in MP4 plus the truth as JSON.

    from demo.clips import ensure_clips
    clips = ensure_clips(Path("cache"), FIRST, lambda name, done, total: None)

A file's name carries a hash of the renderer's sources, so an older cache is never mistaken for this one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import cv2

from demo.render.camera import HEIGHT, WIDTH
from demo.render.stories import BY_NAME, FIRST, STORIES
from demo.render.story import FPS, Story

GOP = 24
Progress = Callable[[str, int, int], None]

__all__ = [
    "FIRST",
    "FPS",
    "GOP",
    "NAMES",
    "Clip",
    "clip_paths",
    "ensure_clips",
    "render_clip",
    "renderer_version",
]

NAMES: tuple[str, ...] = tuple(story.name for story in STORIES)


@dataclass(frozen=True)
class Clip:
    """One rendered clip on disk."""

    name: str
    video: Path
    truth: Path
    seconds: int


@lru_cache(maxsize=1)
def renderer_version() -> str:
    """12 hex digits over the renderer's sources and this file."""
    digest = hashlib.sha256()
    for source in [*sorted((Path(__file__).parent / "render").glob("*.py")), Path(__file__)]:
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:12]


def clip_paths(cache_dir: Path, name: str) -> Clip:
    """Where the clip of this version is or will be; KeyError for an unknown name."""
    story = BY_NAME[name]
    stem = f"{name}-{renderer_version()}"
    return Clip(name, cache_dir / f"{stem}.mp4", cache_dir / f"{stem}.json", story.seconds)


def ensure_clips(
    cache_dir: Path, names: Iterable[str] = NAMES, progress: Progress | None = None
) -> dict[str, Clip]:
    """Renders what is missing, in the order given; ``progress(name, done, total)`` is called after each clip."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    wanted = list(names)
    found: dict[str, Clip] = {}
    for number, name in enumerate(wanted, start=1):
        clip = clip_paths(cache_dir, name)
        if not (clip.video.is_file() and clip.truth.is_file()):
            render_clip(BY_NAME[name], clip)
        found[name] = clip
        if progress is not None:
            progress(name, number, len(wanted))
    return found


def render_clip(story: Story, clip: Clip) -> None:
    """Writes the clip and its truth; both appear whole or not at all."""
    cv2.setNumThreads(1)
    part = clip.video.with_suffix(f".mp4.{os.getpid()}.part")
    frames: list[list[dict[str, object]]] = []
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, FPS)
        stream.codec_context.gop_size = GOP
        stream.codec_context.thread_count = 1
        stream.options = {
            "preset": "veryfast", "crf": "25", "bf": "0", "sc_threshold": "0", "keyint_min": str(GOP),
            "x264-params": "threads=1:lookahead-threads=1:rc-lookahead=12",
        }  # fmt: skip
        for index, (image, truth) in enumerate(story.frames()):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = index
            container.mux(stream.encode(frame))
            frames.append([item.as_dict() for item in truth])
        container.mux(stream.encode(None))
    document = truth_document(story, frames)
    scrap = clip.truth.with_suffix(f".json.{os.getpid()}.part")
    scrap.write_text(json.dumps(document, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")
    os.replace(scrap, clip.truth)
    os.replace(part, clip.video)


def truth_document(story: Story, frames: list[list[dict[str, object]]]) -> dict[str, object]:
    """The truth file: size, rate, happenings, zones, and per frame the list of {label, box, difficult}."""
    return {
        "name": story.name,
        "title": story.title,
        "fps": FPS,
        "size": [WIDTH, HEIGHT],
        "seconds": story.seconds,
        "happenings": [happening.as_dict() for happening in story.happenings],
        "dark": story.dark,
        "frozen": story.frozen,
        "zones": story.polygons(),
        "frames": frames,
    }
