"""Watermarks and overlays. All functions give a new picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from workers.vision.detections import Detection
from workers.vision.frames import Image
from workers.vision.geometry import Line, Polygon, lines, pixel_box, polygons
from workers.vision.rendition.text import draw_text, text_size

TARGET_COLOUR = (48, 59, 255)
REGION_COLOUR = (0, 200, 255)
LINE_COLOUR = (255, 160, 0)


def watermark(image: Image, text: Sequence[str], opacity: float = 0.18) -> Image:
    """The lines, slanted over the whole picture in light grey with a dark edge, and legible once at the foot.

    opacity: 0..1 of the slanted pattern. The pattern survives cropping; the foot line survives printing.
    """
    rows = [line for line in text if line.strip()]
    if not rows:
        return image.copy()
    height, width = image.shape[:2]
    size = max(round(min(width, height) / 30), 11)
    pattern = _pattern(rows, width, height, size)
    share = (pattern[:, :, None].astype(np.float32) / 255.0) * opacity
    light = np.where(image.mean(axis=2, keepdims=True) > 150, np.float32(30), np.float32(235))
    result: Image = (image * (1.0 - share) + light * share).astype(np.uint8)
    _foot(result, " · ".join(rows), size)
    return result


def overlay(
    image: Image,
    detections: Iterable[Detection] = (),
    regions: Iterable[Mapping[str, Any] | Polygon] = (),
    drawn_lines: Iterable[Mapping[str, Any] | Line] = (),
) -> Image:
    """Regions and lines as outlines, detections as boxes with label and score."""
    result = image.copy()
    height, width = image.shape[:2]
    stroke = max(round(min(width, height) / 300), 1)
    for region in regions:
        shape = region if isinstance(region, Polygon) else polygons([region])[0]
        for ring in (shape.outline, *shape.holes):
            cv2.polylines(result, [_pixels(ring, width, height)], True, REGION_COLOUR, stroke, cv2.LINE_AA)
    for item in drawn_lines:
        line = item if isinstance(item, Line) else lines([item])[0]
        cv2.polylines(result, [_pixels(line.points, width, height)], False, LINE_COLOUR, stroke, cv2.LINE_AA)
    for detection in detections:
        _draw_detection(result, detection, stroke)
    return result


def _draw_detection(image: Image, detection: Detection, stroke: int) -> None:
    height, width = image.shape[:2]
    x0, y0, x1, y1 = pixel_box(detection.box, width, height)
    cv2.rectangle(image, (x0, y0), (x1 - 1, y1 - 1), TARGET_COLOUR, stroke)
    caption = f"{detection.label} {detection.score:.2f}"
    size = max(round(min(width, height) / 35), 10)
    text_width, text_height = text_size(caption, size)
    top = y0 - text_height - 4 if y0 >= text_height + 4 else y0
    left = max(min(x0, width - text_width - 4), 0)
    cv2.rectangle(image, (left, top), (left + text_width + 4, top + text_height + 4), TARGET_COLOUR, -1)
    draw_text(image, caption, (left + 2, top + text_height - size // 8), size, (255, 255, 255))


def _pattern(rows: Sequence[str], width: int, height: int, size: int) -> Image:
    """Grey 0..255, height × width: the rows repeated on a slant."""
    block_width = max(text_size(row, size)[0] for row in rows) + size * 3
    block_height = (len(rows) + 3) * int(size * 1.5)
    side = int(np.hypot(width, height)) + max(block_width, block_height)
    tile = np.zeros((block_height, block_width, 3), np.uint8)
    for number, row in enumerate(rows):
        draw_text(tile, row, (size, int(size * 1.5 * (number + 1))), size, (255, 255, 255))
    many = np.tile(tile[:, :, 0], (side // block_height + 1, side // block_width + 1))[:side, :side]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), 20.0, 1.0)
    turned = cv2.warpAffine(many, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    top, left = (side - height) // 2, (side - width) // 2
    return np.asarray(turned[top : top + height, left : left + width], np.uint8)


def _foot(image: Image, text: str, size: int) -> None:
    height, width = image.shape[:2]
    while size > 8 and text_size(text, size)[0] > width - 8:
        size -= 1
    top = max(height - int(size * 1.6), 0)
    image[top:] = (image[top:] * 0.45).astype(np.uint8)
    draw_text(image, text, (4, height - int(size * 0.45)), size, (255, 255, 255))


def _pixels(points: Sequence[tuple[float, float]], width: int, height: int) -> Any:
    return np.rint(np.array(points) * [width - 1, height - 1]).astype(np.int32)
