"""Connected pieces of a mask, as boxes with their pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from workers.vision.detections import Box

Bools = npt.NDArray[np.bool_]

MAX_BLOBS = 50


@dataclass(frozen=True, eq=False)
class Blob:
    """box: 0..1 of the frame; mask: the picture's size, True at its pixels; area: share of the frame."""

    box: Box
    mask: Bools
    area: float


def blobs(mask: Bools, min_area: float, max_area: float = 1.0) -> Iterator[Blob]:
    """The largest pieces first, at most `MAX_BLOBS`, of min_area to max_area (share of the frame)."""
    count, numbered, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    height, width = mask.shape
    order = sorted(range(1, count), key=lambda index: (-int(stats[index, cv2.CC_STAT_AREA]), index))
    for index in order[:MAX_BLOBS]:
        x, y, w, h, pixels = (int(value) for value in stats[index])
        area = pixels / mask.size
        if min_area <= area <= max_area:
            yield Blob((x / width, y / height, w / width, h / height), numbered == index, area)
