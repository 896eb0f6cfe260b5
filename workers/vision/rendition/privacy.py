"""Making parts of a picture unrecognisable. All functions give a new picture and leave the old one alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from workers.vision.detections import Box
from workers.vision.frames import Image
from workers.vision.geometry import Polygon, pixel_box, polygons, rasterise

MASK_COLOUR = (64, 64, 64)
BLOCKS = 6
"""A pixelated thing is this many blocks across: too few to tell a face or read a plate."""


def paint_masks(
    image: Image, masks: Iterable[Mapping[str, Any] | Polygon], colour: tuple[int, int, int] = MASK_COLOUR
) -> Image:
    """Privacy masks (regions 0..1) filled with one colour (BGR)."""
    shapes = [mask if isinstance(mask, Polygon) else polygons([mask])[0] for mask in masks]
    result = image.copy()
    if shapes:
        height, width = image.shape[:2]
        covered = rasterise(shapes, width, height).astype(np.uint8)
        # One pixel more on each side: nothing of the edge may shine through after scaling.
        widened = cv2.dilate(covered, np.ones((3, 3), np.uint8))
        result[widened.astype(np.bool_)] = colour
    return result


def pixelate(image: Image, boxes: Iterable[Sequence[float]], margin: float = 0.1) -> Image:
    """Each box (0..1), widened by `margin` of its size on each side, as a few flat blocks."""
    result = image.copy()
    for x0, y0, x1, y1 in _areas(image, boxes, margin):
        part = result[y0:y1, x0:x1]
        across = min(BLOCKS, x1 - x0)
        down = min(max(round(across * (y1 - y0) / (x1 - x0)), 1), y1 - y0, BLOCKS * 2)
        small = cv2.resize(part, (across, down), interpolation=cv2.INTER_AREA)
        result[y0:y1, x0:x1] = cv2.resize(small, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    return result


def blur(image: Image, boxes: Iterable[Sequence[float]], margin: float = 0.1) -> Image:
    """Each box softened beyond recovery: pixelated first, since a Gaussian blur alone can be undone."""
    areas = list(boxes)
    result = pixelate(image, areas, margin)
    for x0, y0, x1, y1 in _areas(image, areas, margin):
        size = max((x1 - x0) // BLOCKS, (y1 - y0) // BLOCKS, 2) | 1
        result[y0:y1, x0:x1] = cv2.GaussianBlur(result[y0:y1, x0:x1], (size, size), 0)
    return result


def _areas(
    image: Image, boxes: Iterable[Sequence[float]], margin: float
) -> Iterable[tuple[int, int, int, int]]:
    height, width = image.shape[:2]
    for x, y, w, h in boxes:
        wider: Box = (x - w * margin, y - h * margin, w * (1 + 2 * margin), h * (1 + 2 * margin))
        if w > 0 and h > 0 and x < 1 and y < 1 and x + w > 0 and y + h > 0:
            yield pixel_box(wider, width, height)
