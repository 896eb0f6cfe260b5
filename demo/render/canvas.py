"""What an actor draws on: the picture, the camera and the light at a place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

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
        """A solid between two rings (N, 3) of corners in the same order; faces turned away are left out."""
        count = len(base)
        pixels = self.project(np.concatenate([base, top]))
        middle = (base.mean(axis=0) + top.mean(axis=0)) / 2
        normals, facing = faces(base, top, middle, self.camera.position)
        for side in np.flatnonzero(facing):
            after = (side + 1) % count
            normal = normals[side]
            bright = 0.72 + float(0.08 * normal[0] - 0.16 * normal[1] + 0.22 * normal[2])
            self.brush.polygon(pixels[[side, after, count + after, count + side]], shade(colour, bright))
        if self.camera.height > top[0, 2]:
            self.brush.polygon(pixels[count:], roof if roof is not None else shade(colour, 1.06))


def faces(base: Floats, top: Floats, middle: Floats, eye: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Outward unit normals (N, 3) of the sides of a prism and which of them the eye sees."""
    edge, rise = base[_following(len(base))] - base, top - base
    normals = np.empty_like(edge)
    normals[:, 0] = edge[:, 1] * rise[:, 2] - edge[:, 2] * rise[:, 1]
    normals[:, 1] = edge[:, 2] * rise[:, 0] - edge[:, 0] * rise[:, 2]
    normals[:, 2] = edge[:, 0] * rise[:, 1] - edge[:, 1] * rise[:, 0]
    outward = np.where(((base - middle) * normals).sum(axis=1) < 0, -1.0, 1.0)
    length = np.sqrt((normals * normals).sum(axis=1)) + 1e-9
    normals *= (outward / length)[:, None]
    return normals, ((eye - base) * normals).sum(axis=1) > 0


@lru_cache(maxsize=8)
def _following(count: int) -> NDArray[np.int64]:
    return np.asarray((np.arange(count) + 1) % count)


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
