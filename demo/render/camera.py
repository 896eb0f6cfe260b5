"""A pinhole camera above a flat street.

World axes in metres: ``u`` along the road, ``v`` across it (0 = near kerb, positive = away from the camera's
own side), ``z`` up. Pixels have their origin at the top left of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDTH = 640
HEIGHT = 360


@dataclass(frozen=True)
class StreetCamera:
    """Where the camera hangs and where it looks; yaw 90° looks straight across the road."""

    v: float
    height: float
    yaw: float
    pitch: float
    fov: float = 62.0
    width: int = WIDTH
    frame_height: int = HEIGHT

    @cached_property
    def focal(self) -> float:
        """Focal length in pixels for the horizontal field of view."""
        return float(self.width / 2 / np.tan(np.radians(self.fov) / 2))

    @cached_property
    def position(self) -> Floats:
        """Camera centre (u, v, z); u is always 0."""
        return np.array([0.0, self.v, self.height])

    @cached_property
    def axes(self) -> Floats:
        """Rows: right, up, forward as unit vectors of the world."""
        yaw, pitch = np.radians(self.yaw), np.radians(self.pitch)
        ahead = np.array([np.cos(yaw), np.sin(yaw), 0.0])
        right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
        up = np.array([0.0, 0.0, 1.0])
        return np.stack(
            [right, np.sin(pitch) * ahead + np.cos(pitch) * up, np.cos(pitch) * ahead - np.sin(pitch) * up]
        )

    def depth(self, points: Floats) -> Floats:
        """Distance along the optical axis of world points (N, 3)."""
        return np.asarray((points - self.position) @ self.axes[2])

    def project(self, points: Floats) -> Floats:
        """World points (N, 3) to pixels (N, 2) within ±4000; points behind are taken as 0.3 m in front."""
        seen = points @ self._turn + self._offset
        pixels = seen[:, :2] / np.maximum(seen[:, 2:], 0.3) + self._centre
        return np.asarray(np.minimum(np.maximum(pixels, -4000.0), 4000.0))

    @cached_property
    def _turn(self) -> Floats:
        return np.asarray(self.axes.T * np.array([self.focal, -self.focal, 1.0]))

    @cached_property
    def _offset(self) -> Floats:
        return np.asarray(-self.position @ self._turn)

    @cached_property
    def _centre(self) -> Floats:
        return np.array([self.width / 2, self.frame_height / 2])

    def rays(self, scale: int = 1) -> Floats:
        """World direction of every pixel, (H·scale, W·scale, 3), not normalised."""
        columns = (np.arange(self.width * scale) + 0.5) / scale - self.width / 2
        rows = self.frame_height / 2 - (np.arange(self.frame_height * scale) + 0.5) / scale
        right, up, forward = self.axes
        x = columns[None, :, None] / self.focal
        y = rows[:, None, None] / self.focal
        return np.asarray(forward + x * right + y * up)

    def ground(self, x: float, y: float) -> tuple[float, float]:
        """The ground point (u, v) under pixel (x, y), both 0..1 of the picture; the pixel must be below the horizon."""
        right, up, forward = self.axes
        ray = (
            forward
            + (x - 0.5) * self.width / self.focal * right
            + (0.5 - y) * self.frame_height / self.focal * up
        )
        if ray[2] >= -1e-6:
            raise ValueError("that pixel is above the horizon")
        reach = -self.height / ray[2]
        return float(reach * ray[0]), float(self.v + reach * ray[1])
