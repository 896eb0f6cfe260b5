"""A few seconds of a story as a clip under the name that the streamer expects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from demo.clips import Clip, clip_paths, render_clip
from demo.render.stories import BY_NAME


def short_clip(cache: Path, name: str, seconds: int = 4) -> Clip:
    """Renders the first seconds of a story into the cache."""
    clip = replace(clip_paths(cache, name), seconds=seconds)
    render_clip(replace(BY_NAME[name], seconds=seconds), clip)
    return clip
