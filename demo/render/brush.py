"""Antialiased drawing that remembers the extent of what it drew: the extent is the ground truth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.render.light import Colour

_SHIFT = 4
_ONE = 1 << _SHIFT

Pixels = NDArray[np.float64]


class Brush:
    """Draws in sub-pixel coordinates on a BGR picture (H, W, 3) uint8 and keeps a running bounding box."""

    def __init__(self, image: NDArray[np.uint8], tint: Colour = (1.0, 1.0, 1.0)) -> None:
        self.image = image
        self.tint = tint
        self.reset()

    def reset(self) -> None:
        """Forget the extent: the next thing starts here."""
        self.low = np.array([np.inf, np.inf])
        self.high = np.array([-np.inf, -np.inf])

    def _colour(self, colour: Colour) -> tuple[float, float, float]:
        tint = self.tint
        return (
            min(255.0, colour[0] * tint[0]),
            min(255.0, colour[1] * tint[1]),
            min(255.0, colour[2] * tint[2]),
        )

    def _grow(self, points: Pixels, margin: float = 0.0) -> None:
        self.low = np.minimum(self.low, points.min(axis=0) - margin)
        self.high = np.maximum(self.high, points.max(axis=0) + margin)

    def polygon(self, points: Pixels, colour: Colour, *, counts: bool = True) -> None:
        """A filled polygon, points (N, 2)."""
        if counts:
            self._grow(points)
        fixed = np.round(np.clip(points, -4000, 4000) * _ONE).astype(np.int32)
        cv2.fillPoly(self.image, [fixed], self._colour(colour), cv2.LINE_AA, _SHIFT)

    def line(self, start: Pixels, end: Pixels, width: float, colour: Colour, *, counts: bool = True) -> None:
        """A round-ended stroke as a quad plus discs, so that widths below a pixel still fade."""
        along = end - start
        length = float(np.hypot(along[0], along[1])) or 1e-6
        side = np.array([-along[1], along[0]]) / length * width / 2
        self.polygon(np.stack([start + side, end + side, end - side, start - side]), colour, counts=counts)
        if width > 3:
            self.disc(end, width / 2, width / 2, colour, counts=counts)

    def disc(
        self, centre: Pixels, rx: float, ry: float, colour: Colour, angle: float = 0.0, *, counts: bool = True
    ) -> None:
        """A filled ellipse of radii rx, ry pixels."""
        if counts:
            radius = np.array([rx, ry])
            self._grow(np.stack([centre - radius, centre + radius]))
        middle = np.clip(centre, -4000, 4000) * _ONE
        cv2.ellipse(
            self.image,
            (int(round(middle[0])), int(round(middle[1]))),
            (max(1, int(round(rx * _ONE))), max(1, int(round(ry * _ONE)))),
            angle,
            0,
            360,
            self._colour(colour),
            -1,
            cv2.LINE_AA,
            _SHIFT,
        )

    def box(self) -> tuple[float, float, float, float] | None:
        """The extent so far as x0, y0, x1, y1 pixels, not clipped; None when nothing counted was drawn."""
        if not np.all(np.isfinite(self.low)):
            return None
        return float(self.low[0]), float(self.low[1]), float(self.high[0]), float(self.high[1])
