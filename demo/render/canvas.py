"""What an actor draws on: the picture, the camera and the light at a place."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.render.brush import Brush, Pixels
from demo.render.camera import Floats, StreetCamera
from demo.render.light import Colour, Light, shade
from demo.render.street import Backdrop


@dataclass(frozen=True)
class Pose:
    """Where an actor stands (metres), where it heads (radians, 0 = +u) and how far its own story is (0..1 or phase)."""

    u: float
    v: float
    heading: float = 0.0
    phase: float = 0.0
    moving: bool = True


class Canvas:
    """One frame being painted."""

    def __init__(self, backdrop: Backdrop, image: NDArray[np.uint8]) -> None:
        self.backdrop = backdrop
        self.camera: StreetCamera = backdrop.camera
        self.light: Light = backdrop.light
        self.brush = Brush(image)
        self.shadow = np.zeros(image.shape[:2], np.uint8)

    def light_at(self, u: float, v: float) -> Colour:
        """How bright and of which colour the light on an actor there is (BGR factors)."""
        tint = self.light.tint
        if not self.light.night:
            return tint
        pool = float(self.backdrop.lamps(np.array([u]), np.array([v]))[0])
        return tint[0] * (1 + 0.9 * pool), tint[1] * (1 + 1.2 * pool), tint[2] * (1 + 1.4 * pool)

    def project(self, points: Floats) -> Pixels:
        """World points (N, 3) to pixels (N, 2)."""
        return self.camera.project(points)

    def cast(self, footprint: Floats, height: float) -> None:
        """Adds the shadow of an upright thing standing on ``footprint`` (N, 2) metres."""
        if self.camera.depth(np.column_stack([footprint, np.zeros(len(footprint))])).min() < 0.5:
            return
        thrown = footprint + np.array(self.light.sun) * height
        ground = np.concatenate([footprint, thrown])
        pixels = self.project(np.column_stack([ground, np.zeros(len(ground))]))
        hull = cv2.convexHull(np.round(np.clip(pixels, -4000, 4000) * 16).astype(np.int32))
        cv2.fillConvexPoly(self.shadow, hull, 255, cv2.LINE_AA, 4)

    def prism(self, base: Floats, top: Floats, colour: Colour, roof: Colour | None = None) -> None:
        """A solid of two rings (N, 3) of corners in the same order, counter-clockwise from above; hidden faces are left out."""
        count = len(base)
        pixels = self.project(np.concatenate([base, top]))
        middle = (base.mean(axis=0) + top.mean(axis=0)) / 2
        for side in range(count):
            after = (side + 1) % count
            corner, edge, rise = base[side], base[after] - base[side], top[side] - base[side]
            normal = np.cross(edge, rise)
            if normal @ (corner - middle) < 0:
                normal = -normal
            if normal @ (self.camera.position - corner) <= 0:
                continue
            length = float(np.linalg.norm(normal)) or 1.0
            bright = (
                0.72
                + 0.16 * float(normal[1] * -1 + normal[0] * 0.5) / length
                + 0.22 * float(normal[2]) / length
            )
            ring = pixels[[side, after, count + after, count + side]]
            self.brush.polygon(ring, shade(colour, bright))
        if self.camera.position[2] > top[:, 2].mean():
            self.brush.polygon(pixels[count:], roof if roof is not None else shade(colour, 1.06))


def oriented(pose: Pose, local: Floats) -> Floats:
    """Local points (N, 3: ahead, left, up) to the world."""
    cos, sin = np.cos(pose.heading), np.sin(pose.heading)
    world = np.empty_like(local)
    world[:, 0] = pose.u + cos * local[:, 0] - sin * local[:, 1]
    world[:, 1] = pose.v + sin * local[:, 0] + cos * local[:, 1]
    world[:, 2] = local[:, 2]
    return world


def ring(length_from: float, length_to: float, half_width: float, z: float) -> Floats:
    """Four local corners of a rectangle at height z, counter-clockwise seen from above."""
    return np.array(
        [
            [length_from, -half_width, z],
            [length_to, -half_width, z],
            [length_to, half_width, z],
            [length_from, half_width, z],
        ]
    )
