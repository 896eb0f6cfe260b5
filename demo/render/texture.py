"""Tileable value noise used for asphalt, stone, foliage and clouds."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 512


@lru_cache(maxsize=8)
def value_noise(seed: int, octaves: int = 6) -> NDArray[np.float32]:
    """A tileable (512, 512) plane of noise with mean 0 and deviation 1; equal seeds give equal planes."""
    rng = np.random.default_rng(seed)
    plane = np.zeros((_SIDE, _SIDE), np.float32)
    for octave in range(octaves):
        cells = 2 ** (octave + 2)
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        coarse = np.pad(coarse, 2, mode="wrap")
        step = _SIDE // cells
        fine = cv2.resize(coarse, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        plane = plane + fine[2 * step : 2 * step + _SIDE, 2 * step : 2 * step + _SIDE] / (1.5**octave)
    plane -= plane.mean()
    return np.asarray(plane / plane.std(), np.float32)


def sample(plane: NDArray[np.float32], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float32]:
    """Nearest value of the plane at (x, y), wrapped; x and y in texels."""
    return plane[y.astype(np.int64) % _SIDE, x.astype(np.int64) % _SIDE]


def box_noise(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """``size`` numbers 0..1."""
    return rng.random(size)
