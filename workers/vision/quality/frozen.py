"""Has the picture stopped? Compares a noise-keeping signature of the active area over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from workers.vision.quality.measures import THUMB, Grey

Box = tuple[float, float, float, float]
OSD_STRIPS: tuple[Box, ...] = ((0.0, 0.0, 1.0, 0.12), (0.0, 0.88, 1.0, 0.12))
"""Where cameras write their name and clock: (x, y, w, h) of the full frame, 0..1."""


class FrozenDetector:
    """True after `seconds` in which no part of the active area changed more than re-encoding does.

    A static scene is not frozen: its sensor noise changes the signature, because single pixels are compared.
    Between two keyframes an encoder may repeat a quiet scene exactly, so either two keyframes must have been
    alike, or four times the time must have passed (streams without keyframes).
    """

    def __init__(
        self, *, seconds: float = 30.0, masks: Sequence[Box] = OSD_STRIPS, tolerance: float = 0.2
    ) -> None:
        self._seconds, self._tolerance = seconds, tolerance
        width, height = THUMB
        self._active = np.ones((height, width), dtype=bool)
        for x, y, w, h in masks:
            self._active[
                round(y * height) : round((y + h) * height), round(x * width) : round((x + w) * width)
            ] = False
        self._anchor: npt.NDArray[np.int16] | None = None
        self._since: datetime | None = None
        self._keyframes = 0

    def update(self, grey: Grey, moment: datetime, *, keyframe: bool) -> bool:
        """Take the grey small copy of the next frame."""
        signature = grey[self._active].astype(np.int16)
        if self._anchor is None or self._since is None or self._differs(signature, self._anchor):
            self._anchor, self._since, self._keyframes = signature, moment, 0
        self._keyframes += keyframe
        lasted = (moment - self._since).total_seconds()
        return lasted >= self._seconds and (self._keyframes >= 2 or lasted >= 4 * self._seconds)

    def _differs(self, one: npt.NDArray[np.int16], other: npt.NDArray[np.int16]) -> bool:
        difference = np.abs(one - other)
        return float(difference.mean()) > self._tolerance or float(np.mean(difference > 12)) > 0.002
