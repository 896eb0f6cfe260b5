"""Antialiased drawing that remembers the extent of what it drew: the extent is the ground truth."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.render.light import Colour

_SHIFT = 4
_ONE = 1 << _SHIFT

Pixels = NDArray[np.float64]
Rectangle = tuple[float, float, float, float]


class Stroke(NamedTuple):
    """One drawing call as it was made, to be repeated: a polygon, or an ellipse when ``axes`` is set."""

    points: NDArray[np.int32]
    colour: Colour
    axes: tuple[int, int] | None = None


class Brush:
    """Draws in sub-pixel coordinates on a BGR picture (H, W, 3) uint8 and keeps what it drew since ``reset``.

    Coordinates must lie within ±4000 pixels (``StreetCamera.project`` sees to that): OpenCV overflows beyond.
    """

    def __init__(self, image: NDArray[np.uint8], tint: Colour = (1.0, 1.0, 1.0)) -> None:
        self.image = image
        self.tint = tint
        self.reset()

    def reset(self) -> None:
        """Forget the extent and the strokes: the next thing starts here."""
        self._seen: list[Pixels] = []
        self.strokes: list[Stroke] = []

    def _colour(self, colour: Colour) -> Colour:
        tint = self.tint
        return (
            min(255.0, colour[0] * tint[0]),
            min(255.0, colour[1] * tint[1]),
            min(255.0, colour[2] * tint[2]),
        )

    def polygon(self, points: Pixels, colour: Colour) -> None:
        """A filled polygon, points (N, 2)."""
        self._seen.append(points)
        self._draw(Stroke((points * _ONE + 0.5).astype(np.int32), self._colour(colour)))

    def line(self, start: Pixels, end: Pixels, width: float, colour: Colour) -> None:
        """A stroke as a quad plus a disc at its end, so that widths below a pixel still fade."""
        x0, y0, x1, y1 = float(start[0]), float(start[1]), float(end[0]), float(end[1])
        dx, dy = x1 - x0, y1 - y0
        scale = width / 2 / (float(np.hypot(dx, dy)) or 1e-6)
        sx, sy = -dy * scale, dx * scale
        quad = np.array([[x0 + sx, y0 + sy], [x1 + sx, y1 + sy], [x1 - sx, y1 - sy], [x0 - sx, y0 - sy]])
        self.polygon(quad, colour)
        if width > 3:
            self.disc(end, width / 2, width / 2, colour)

    def disc(self, centre: Pixels, rx: float, ry: float, colour: Colour) -> None:
        """A filled upright ellipse of radii rx, ry pixels."""
        x, y = float(centre[0]), float(centre[1])
        self._seen.append(np.array([[x - rx, y - ry], [x + rx, y + ry]]))
        middle = np.array([round(x * _ONE), round(y * _ONE)], np.int32)
        self._draw(Stroke(middle, self._colour(colour), (max(1, round(rx * _ONE)), max(1, round(ry * _ONE)))))

    def cover(self, points: Pixels) -> None:
        """Counts points as drawn: for things that paint the picture themselves."""
        self._seen.append(points)

    def _draw(self, stroke: Stroke) -> None:
        self.strokes.append(stroke)
        if stroke.axes is None:
            cv2.fillPoly(self.image, [stroke.points], stroke.colour, cv2.LINE_AA, _SHIFT)
        else:
            centre = (int(stroke.points[0]), int(stroke.points[1]))
            cv2.ellipse(
                self.image, centre, stroke.axes, 0, 0, 360, stroke.colour, -1, cv2.LINE_AA, _SHIFT
            )  # fmt: skip

    def repeat(self, strokes: list[Stroke]) -> None:
        """Draws strokes of an earlier frame again."""
        for stroke in strokes:
            self._draw(stroke)

    def box(self) -> Rectangle | None:
        """The extent since ``reset`` as x0, y0, x1, y1 pixels, not clipped; None when nothing was drawn."""
        if not self._seen:
            return None
        points = np.concatenate(self._seen)
        low, high = points.min(axis=0), points.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])
