"""camera-health: what is wrong with the picture itself (signal, light, focus, cover, colour, noise, scene).

Wraps `quality.HealthDetector`; each finding is one detection over the whole frame, its label the finding's code.
"""

from __future__ import annotations

from datetime import datetime

import cv2
import numpy as np

from workers.vision.analysers.base import AnalyserSettings, analysers
from workers.vision.detections import Detection
from workers.vision.frames import Frame, Image
from workers.vision.quality import HealthConfig, HealthDetector, HealthState

WIDTH = 320


class CameraHealthAnalyser:
    """Parameters: confirm (s, 3) and frozen (s, 30), see `HealthConfig`. Regions and masks do not matter to it."""

    labels = tuple(sorted(state.value for state in HealthState))
    memory_bytes = 512 * 1024

    def __init__(self, settings: AnalyserSettings) -> None:
        self._detector = HealthDetector(
            HealthConfig(confirm=settings.number("confirm", 3.0), frozen=settings.number("frozen", 30.0))
        )
        self._frames = 0

    def step(self, image: Image, time: datetime) -> list[Detection]:
        frame = Frame(_even(image), time, keyframe=True, index=self._frames)
        self._frames += 1
        found = self._detector.update(frame)
        return [Detection(state.value, 1.0, (0.0, 0.0, 1.0, 1.0)) for state in sorted(found)]


def _even(image: Image) -> Image:
    """Always the same width: a frame may come at full size or reduced, depending on who else looks at it."""
    height = max(round(image.shape[0] * WIDTH / image.shape[1]), 8)
    return np.asarray(cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)


analysers.register("camera-health")(CameraHealthAnalyser)
