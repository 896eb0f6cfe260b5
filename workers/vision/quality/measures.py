"""What can be told from a small copy of a picture: light, contrast, sharpness, colour, flatness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from workers.vision.frames import Image

Grey: TypeAlias = npt.NDArray[np.uint8]
THUMB = (160, 90)
"""Width, height of the small copy; nearest pixels, so that noise is kept and the cost stays small."""


@dataclass(frozen=True, slots=True, eq=False)
class Thumb:
    """colour (90, 160, 3) BGR and grey (90, 160), uint8."""

    colour: Image
    grey: Grey


def thumb(image: Image) -> Thumb:
    """The small copy of a picture of any size."""
    colour = np.asarray(cv2.resize(image, THUMB, interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
    return Thumb(colour, np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY), dtype=np.uint8))


def levels(grey: Grey) -> tuple[int, int, float]:
    """(2nd percentile, 98th percentile, standard deviation) of the grey values, 0..255."""
    counts = np.cumsum(np.bincount(grey.ravel(), minlength=256))
    low = int(np.searchsorted(counts, 0.02 * grey.size))
    high = int(np.searchsorted(counts, 0.98 * grey.size))
    return low, high, float(grey.std())


def sharpness(grey: Grey) -> float:
    """Variance of the Laplacian ÷ variance of the grey values: 0.2 to 3 where sharp, < 0.02 where not."""
    variance = float(grey.var())
    if variance < 1.0:
        return 0.0
    return float(cv2.Laplacian(grey, cv2.CV_16S).var()) / variance


def flat_share(grey: Grey) -> float:
    """Share of pixels that equal their right neighbour exactly: near 1 only for drawn or filled areas."""
    return float(np.mean(grey[:, 1:] == grey[:, :-1]))


def fill_share(small: Thumb) -> float:
    """Share of pixels in the colours that decoders fill lost areas with: grey 128, or the green of YUV 0."""
    blue, green, red = (small.colour[..., channel].astype(np.int16) for channel in range(3))
    is_grey = (np.abs(blue - 128) <= 3) & (np.abs(green - 128) <= 3) & (np.abs(red - 128) <= 3)
    is_green = (blue <= 8) & (red <= 8) & (green >= 60) & (green <= 170)
    filled = is_grey | is_green
    still = np.zeros_like(filled)
    still[:, 1:] = small.grey[:, 1:] == small.grey[:, :-1]
    return float(np.mean(filled & still))


def smear_share(grey: Grey) -> float:
    """Share of the height, from the bottom, in which one textured row is repeated (a lost slice)."""
    rows = grey.astype(np.int16)
    same = np.mean(np.abs(rows[1:] - rows[:-1]) <= 1, axis=1) >= 0.97
    textured = rows[1:].std(axis=1) >= 10
    lost = (same & textured)[::-1]
    stop = int(np.argmin(lost)) if not lost.all() else lost.size
    return float(stop / grey.shape[0])


def cast_vector(colour: Image) -> tuple[float, float, float]:
    """(a, b, spread) of the mean colour in Lab: a, b from neutral, spread = mean distance from that mean."""
    lab = cv2.cvtColor(colour, cv2.COLOR_BGR2LAB)[..., 1:].reshape(-1, 2).astype(np.float32) - 128.0
    mean = lab.mean(axis=0)
    spread = float(np.abs(lab - mean).mean())
    return float(mean[0]), float(mean[1]), spread


def texture_cells(grey: Grey, across: int = 8, down: int = 6) -> npt.NDArray[np.float32]:
    """Mean gradient in a grid of cells, shape (down, across); sensor noise is smoothed away first."""
    smooth = cv2.blur(grey, (5, 5))
    wide = cv2.resize(smooth, (across * 20, down * 15), interpolation=cv2.INTER_AREA).astype(np.float32)
    gradient = np.abs(np.diff(wide, axis=1, append=wide[:, -1:])) + np.abs(
        np.diff(wide, axis=0, append=wide[-1:])
    )
    return np.asarray(gradient.reshape(down, 15, across, 20).mean(axis=(1, 3)), dtype=np.float32)
