"""Live viewing without transcoding: one remuxer per held stream, a bounded queue per viewer."""

from __future__ import annotations

from workers.vision.live.playable import browser_reason, codec_note
from workers.vision.live.remux import LiveChunk, LiveRemuxer, LiveViewer

__all__ = ["LiveChunk", "LiveRemuxer", "LiveViewer", "browser_reason", "codec_note"]
