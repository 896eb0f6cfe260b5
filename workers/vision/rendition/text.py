"""Text on pictures, Chinese included, without any font file of the system.

OpenCV 5 carries a font named "uni" (WenQuanYi Micro Hei) inside its wheel. Where it is missing (another
build), Pillow draws with the first system font that has Chinese, and `covers_chinese` says whether any does:
then characters that cannot be drawn are written as their code (U+5F20), never silently dropped.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from workers.vision.frames import Image

_SYSTEM_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
)
_local = threading.local()


def covers_chinese() -> bool:
    """Can Chinese be drawn on this machine?"""
    return _built_in() or _system_font() is not None


def text_size(text: str, size: int) -> tuple[int, int]:
    """(width, height) in pixels of a line drawn at `size` pixels."""
    if _built_in():
        _, _, width, height = cv2.getTextSize((0, 0), text, (0, size), _face(), size)
        return int(width), int(max(height, size))
    left, top, right, bottom = _pillow_font(size).getbbox(drawable(text))
    return int(right - left), int(max(bottom - top, size))


def draw_text(image: Image, text: str, at: tuple[int, int], size: int, colour: tuple[int, int, int]) -> None:
    """Draw one line into the picture; `at` = left end of the base line in pixels, colour BGR."""
    if _built_in():
        cv2.putText(image, text, at, colour, _face(), size)
        return
    picture = PillowImage.fromarray(np.ascontiguousarray(image[:, :, ::-1]))
    pen = ImageDraw.Draw(picture)
    pen.text((at[0], at[1] - size), drawable(text), font=_pillow_font(size), fill=colour[::-1])
    image[:] = np.asarray(picture)[:, :, ::-1]


def drawable(text: str) -> str:
    """The text as it can be drawn here: unchanged where a Chinese font exists, else codes for the rest."""
    if covers_chinese():
        return text
    return "".join(letter if ord(letter) < 0x250 else f"U+{ord(letter):04X} " for letter in text)


@cache
def _built_in() -> bool:
    if not hasattr(cv2, "FontFace"):
        return False
    try:
        return cv2.FontFace("uni").getName() == "uni"
    except cv2.error:
        return False


def _face() -> cv2.FontFace:
    """A font per thread: the object caches glyphs and is not meant to be shared."""
    if not hasattr(_local, "face"):
        _local.face = cv2.FontFace("uni")
    face: cv2.FontFace = _local.face
    return face


@cache
def _system_font() -> str | None:
    return next((path for path in _SYSTEM_FONTS if Path(path).is_file()), None)


@cache
def _pillow_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    path = _system_font()
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)
