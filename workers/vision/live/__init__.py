"""Live viewing without transcoding: one remuxer per held stream, a bounded queue per viewer."""

from __future__ import annotations

from workers.vision.live.playable import browser_reason

__all__ = ["browser_reason"]
