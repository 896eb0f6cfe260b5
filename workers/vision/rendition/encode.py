"""Cutting out and writing pictures. Whatever leaves is encoded anew: no metadata, no hidden payload travels on."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from workers.vision.detections import Box
from workers.vision.frames import Image
from workers.vision.geometry import pixel_box


def crop(image: Image, box: Sequence[float], pad: float = 0.1) -> Image:
    """The part of the picture around a box (0..1), wider by `pad` of its size on each side; a copy."""
    height, width = image.shape[:2]
    x, y, w, h = box
    wider: Box = (x - w * pad, y - h * pad, w * (1 + 2 * pad), h * (1 + 2 * pad))
    x0, y0, x1, y1 = pixel_box(wider, width, height)
    return image[y0:y1, x0:x1].copy()


def encode_jpeg(image: Image, quality: int = 88) -> bytes:
    """JPEG bytes of a BGR picture; raises ValueError for a picture without pixels."""
    if image.size == 0:
        raise ValueError("a picture without pixels cannot be written")
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the picture could not be written as JPEG")
    return data.tobytes()
