"""The first seconds of a rendered street with vehicles in every picture, and the demo's detector for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from demo.clips import clip_paths, render_clip
from demo.packaging import build_package
from demo.render.stories import BY_NAME

CLIP, SECONDS = "busy_road", 4
ALGORITHM = "vehicle-presence"


def street_clip(folder: Path) -> bytes:
    """H.264 in MP4, 12 fps, a keyframe every 2 s."""
    clip = replace(clip_paths(folder, CLIP), seconds=SECONDS)
    render_clip(replace(BY_NAME[CLIP], seconds=SECONDS), clip)
    return clip.video.read_bytes()


def street_package(folder: Path) -> Path:
    """The zip that holds ALGORITHM."""
    return build_package("street-objects", folder / "street-objects.zip")
