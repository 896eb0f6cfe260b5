"""Opening pictures that others made: the size is read and judged before any pixel is decoded."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from workers.vision.frames import Image

MAX_PIXELS = 50_000_000
MAX_BYTES = 100 * 2**20
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""What is opened at all. SVG, HTML, TIFF and the rest are not pictures here."""

_REDUCED = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}


class ImageRefused(ValueError):
    """Not a picture, a broken one, or one too large; `code` is frame_corrupt or frame_too_large."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def image_size(data: bytes) -> tuple[int, int, str]:
    """(width, height, format) from the header alone; raises `ImageRefused`."""
    try:
        with PillowImage.open(io.BytesIO(data), formats=FORMATS) as picture:
            return picture.width, picture.height, str(picture.format)
    except PillowImage.DecompressionBombError as error:
        raise ImageRefused("frame_too_large", "the picture is far too large") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ImageRefused("frame_corrupt", "the file is not a picture that can be opened") from error


def decode_image(
    source: bytes | Path,
    *,
    max_pixels: int = MAX_PIXELS,
    fit: Callable[[int, int], tuple[int, int]] | None = None,
) -> Image:
    """A picture as (h, w, 3) BGR uint8, turned upright by its EXIF note.

    Raises `ImageRefused` for more than `max_pixels` (before decoding), for other formats and broken files,
    and FileNotFoundError for a path that is gone. `fit` is told the picture's width and height
    and answers the size that is needed: a JPEG may then come at a half or a quarter of its size, never smaller
    than that, which is much cheaper for small inputs.
    """
    data = _read(source) if isinstance(source, Path) else source
    if len(data) > MAX_BYTES:
        raise ImageRefused("frame_too_large", f"the file has {len(data) >> 20} MiB, at most 100 are opened")
    width, height, kind = image_size(data)
    if width * height > max_pixels:
        raise ImageRefused(
            "frame_too_large",
            f"{width}×{height} is {width * height / 1e6:.0f} megapixels, at most {max_pixels / 1e6:.0f} are opened",
        )
    factor = _reduction(width, height, fit(width, height)) if fit and kind == "JPEG" else 1
    return _decode(data, factor)


def _decode(data: bytes, factor: int) -> Image:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), _REDUCED[factor])
    except cv2.error as error:
        raise ImageRefused("frame_corrupt", "the picture is damaged") from error
    if image is None:
        raise ImageRefused("frame_corrupt", "the picture is damaged")
    return np.asarray(image, np.uint8)


def _read(path: Path) -> bytes:
    with path.open("rb", buffering=0) as stream:
        # Asked for MAX_BYTES, Python would set aside 100 MiB for every picture.
        size = min(os.fstat(stream.fileno()).st_size, MAX_BYTES)
        return stream.read(size + 1) or b""


def _reduction(width: int, height: int, fit: tuple[int, int]) -> int:
    return next(
        (factor for factor in (4, 2) if width // factor >= fit[0] and height // factor >= fit[1]),
        1,
    )
