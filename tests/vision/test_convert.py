"""Pictures come out of a decoder's planes as they would out of FFmpeg's own scaler."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from workers.vision.sources.convert import PictureConverter


def painted(width: int, height: int) -> np.ndarray:
    small = np.random.default_rng(1).integers(0, 255, (6, 8, 3), np.uint8)
    return np.asarray(cv2.resize(small, (width, height)), np.uint8)


@pytest.mark.parametrize(
    ("width", "height"), [(1920, 1080), (768, 432), (178, 100), (100, 178), (352, 288), (64, 62)]
)
@pytest.mark.parametrize("kind", ["yuv420p", "yuvj420p", "yuv422p", "gray"])
def test_the_picture_is_the_scalers(width: int, height: int, kind: str) -> None:
    frame = av.VideoFrame.from_ndarray(painted(width, height), format="bgr24").reformat(format=kind)
    expected = frame.reformat(format="bgr24").to_ndarray().astype(np.int16)
    converter = PictureConverter()
    image = converter.image(frame)
    assert (image.shape, image.dtype) == ((height, width, 3), np.uint8)
    assert float(np.abs(image - expected).mean()) < 1.5
    assert image.flags.c_contiguous


def test_each_picture_is_its_own() -> None:
    converter = PictureConverter()
    dark = av.VideoFrame.from_ndarray(np.zeros((64, 96, 3), np.uint8), format="bgr24").reformat(
        format="yuv420p"
    )
    light = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 255, np.uint8), format="bgr24").reformat(
        format="yuv420p"
    )
    one = converter.image(dark)
    two = converter.image(light)
    assert int(one.max()) < 3
    assert int(two.min()) > 248
    assert np.array_equal(converter.image(dark), one)
