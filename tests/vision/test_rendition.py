"""The pure part of the rendition door."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.vision.engine_models import square
from workers.vision.detections import Detection
from workers.vision.rendition import (
    blur,
    crop,
    decode_image,
    encode_jpeg,
    overlay,
    paint_masks,
    pixelate,
    watermark,
)
from workers.vision.rendition import text as lettering
from workers.vision.rendition.privacy import MASK_COLOUR


def noisy(width: int = 320, height: int = 180) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)


def test_masks_leave_nothing_and_touch_nothing_else():
    image = noisy()
    before = image.copy()
    painted = paint_masks(image, [square(0.25, 0.25, 0.5)])
    assert (image == before).all()
    assert (painted[45:135, 80:240] == MASK_COLOUR).all()
    assert (painted[:40] == image[:40]).all()
    assert (painted[:, :75] == image[:, :75]).all()
    assert (paint_masks(image, []) == image).all()


@pytest.mark.parametrize("hide", [blur, pixelate])
def test_hidden_parts_cannot_be_told_apart(hide):
    """Two different faces in the same place come out nearly alike; the rest is untouched."""
    image = noisy()
    hidden = hide(image, [(0.4, 0.4, 0.2, 0.2)])
    part = hidden[72:108, 128:192].astype(float)
    assert part.std() < image[72:108, 128:192].std() / 3
    assert (
        len(np.unique(pixelate(image, [(0.4, 0.4, 0.2, 0.2)])[72:108, 128:192].reshape(-1, 3), axis=0)) <= 72
    )
    assert (hidden[:60] == image[:60]).all()


@pytest.mark.parametrize(
    "box",
    [
        (-0.5, -0.5, 0.6, 0.6),
        (0.95, 0.95, 0.5, 0.5),
        (2, 2, 1, 1),
        (0.5, 0.5, 0, 0),
        (0.5, 0.5, 0.001, 0.001),
    ],
)
def test_boxes_at_the_edge_are_fine(box):
    image = noisy()
    for hide in (blur, pixelate):
        assert hide(image, [box]).shape == image.shape


def test_the_watermark_is_everywhere_and_does_not_hide_the_picture():
    image = np.full((720, 1280, 3), 90, np.uint8)
    marked = watermark(image, ["张三 城市管理局", "尾号 4821 2026-11-20 10:31"])
    changed = (marked != image).any(axis=2)
    for top in range(0, 720, 240):
        for left in range(0, 1280, 320):
            assert changed[top : top + 240, left : left + 320].mean() > 0.005
    assert changed[:680].mean() < 0.3
    assert np.abs(marked[:680].astype(int) - 90).max() < 50
    assert (watermark(image, ["", " "]) == image).all()


def test_chinese_is_drawn_without_a_font_of_the_system():
    assert lettering.covers_chinese()
    glyphs = []
    for letter in "市局张囧":
        canvas = np.zeros((60, 60, 3), np.uint8)
        lettering.draw_text(canvas, letter, (5, 45), 40, (255, 255, 255))
        assert canvas.any()
        glyphs.append(canvas.tobytes())
    assert len(set(glyphs)) == 4, "different characters look different: no empty boxes in their place"


def test_where_no_font_has_chinese_the_codes_are_written(monkeypatch):
    monkeypatch.setattr(lettering, "_built_in", lambda: False)
    monkeypatch.setattr(lettering, "_system_font", lambda: None)
    lettering._pillow_font.cache_clear()
    assert not lettering.covers_chinese()
    assert lettering.drawable("张 Li") == "U+5F20  Li"
    canvas = np.zeros((60, 300, 3), np.uint8)
    lettering.draw_text(canvas, "张 Li", (5, 45), 30, (255, 255, 255))
    assert canvas.any()
    lettering._pillow_font.cache_clear()


def test_overlay_draws_what_it_is_given():
    image = np.zeros((360, 640, 3), np.uint8)
    line = {"type": "LineString", "coordinates": [[0.1, 0.9], [0.9, 0.9]]}
    drawn = overlay(image, [Detection("人员", 0.91, (0.5, 0.5, 0.2, 0.3))], [square(0.1, 0.1, 0.2)], [line])
    assert not image.any()
    assert drawn[180:288, 319:322].any()
    assert drawn[36:108, 62:66].any()
    assert drawn[320:328, 100:500].any()
    assert not drawn[120:150, 200:300].any()


@pytest.mark.parametrize(
    ("box", "pad", "shape"),
    [
        ((0.25, 0.5, 0.25, 0.25), 0.0, (45, 80)),
        ((0.25, 0.375, 0.25, 0.25), 0.5, (90, 160)),
        ((0.0, 0.0, 1.0, 1.0), 0.5, (180, 320)),
        ((0.99, 0.99, 0.5, 0.5), 0.0, (2, 4)),
    ],
)
def test_crop(box, pad, shape):
    assert crop(noisy(), box, pad).shape == (*shape, 3)


def test_what_leaves_is_encoded_anew():
    data = encode_jpeg(noisy()) + b"<script>hidden</script>"
    again = encode_jpeg(decode_image(data))
    assert b"script" not in again
    assert decode_image(again).shape == (180, 320, 3)
    with pytest.raises(ValueError, match="without pixels"):
        encode_jpeg(np.zeros((0, 5, 3), np.uint8))


@pytest.mark.parametrize(
    ("needed", "size"), [((400, 225), (480, 270)), ((481, 270), (960, 540)), ((1000, 100), (1920, 1080))]
)
def test_a_large_jpeg_comes_smaller_where_that_is_enough(needed, size):
    data = encode_jpeg(cv2.resize(noisy(), (1920, 1080)))
    image = decode_image(data, fit=lambda width, height: needed)
    assert (image.shape[1], image.shape[0]) == size
