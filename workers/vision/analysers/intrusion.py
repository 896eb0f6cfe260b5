"""intrusion: moving things, found as foreground that came and has not yet settled.

Reports every mover of the frame; the rule `intrusion` asks which of them stand in a region. What has not
changed for `settle` seconds (60) is no mover any more.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from workers.vision.analysers.background import BackgroundModel, Bools, likeness
from workers.vision.analysers.base import AnalyserSettings, analysers
from workers.vision.analysers.blobs import Blob, blobs
from workers.vision.detections import Detection
from workers.vision.frames import Image
from workers.vision.geometry import rasterise

SAME_TEXTURE = 0.85
MAX_AREA = 0.4


class IntrusionAnalyser:
    """Parameters: sensitivity (0..1, 0.5), min_size (shorter side, share of the frame, 0.03), settle (s, 60)."""

    labels = ("mover",)
    memory_bytes = BackgroundModel.memory_bytes

    def __init__(self, settings: AnalyserSettings) -> None:
        self.min_side = max(settings.number("min_size", 0.0), 0.03)
        self.settle = settings.number("settle", 60.0)
        self.model = BackgroundModel(settings.number("sensitivity", 0.5))
        self._shapes = settings.shapes
        self._ignored: Bools | None = None

    def step(self, image: Image, time: datetime) -> list[Detection]:
        self.model.update(image, time)
        found = []
        foreground = self.model.foreground
        if self._ignored is None or self._ignored.shape != foreground.shape:
            self._ignored = rasterise(self._shapes.masks, foreground.shape[1], foreground.shape[0])
        for blob in blobs(foreground & ~self._ignored, self.min_side**2 * 0.4, MAX_AREA):
            settled = float((self.model.age[blob.mask] >= self.settle).mean()) > 0.75
            if min(blob.box[2:]) < self.min_side or settled or self._only_light(blob):
                continue
            filled = blob.area / max(blob.box[2] * blob.box[3], 1e-9)
            found.append(Detection("mover", min(0.5 + filled / 2, 0.99), blob.box, 0))
        return found

    def _only_light(self, blob: Blob) -> bool:
        now = self.model.picture[blob.mask].mean(axis=1, dtype=np.float32)
        before = self.model.ground[blob.mask].mean(axis=1, dtype=np.float32)
        return likeness(now, before) > SAME_TEXTURE


analysers.register("intrusion")(IntrusionAnalyser)
