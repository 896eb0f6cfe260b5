"""Standing water that mirrors what is above it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from demo.render.camera import Floats
from demo.render.canvas import Canvas, Pose, oriented


@dataclass(frozen=True)
class Puddle:
    """Standing water: a wobbly outline, radii in metres for 32 directions at full size."""

    outline: tuple[float, ...]
    stretch: float

    @classmethod
    def random(cls, rng: np.random.Generator, radius: float = 2.0) -> Puddle:
        """A puddle of about the wanted radius."""
        turn = np.arange(32) * 2 * np.pi / 32
        radii = np.full(32, radius)
        for wave in range(2, 6):
            radii += radius * rng.uniform(0.03, 0.16) * np.cos(wave * turn + rng.uniform(0, 6.28))
        return cls(tuple(float(r) for r in radii), float(rng.uniform(1.3, 2.2)))


def draw_puddle(canvas: Canvas, puddle: Puddle, pose: Pose, amount: float, phase: float) -> None:
    """A mirror of the picture above it with ripples; ``amount`` 0..1 of the full size."""
    turn = np.arange(32) * 2 * np.pi / 32
    radii = np.array(puddle.outline) * amount
    local: Floats = np.column_stack(
        [radii * puddle.stretch * np.cos(turn), radii * np.sin(turn), np.zeros(32)]
    )
    world = oriented(pose, local)
    if canvas.camera.depth(world).min() < 1.0:
        return
    pixels = canvas.project(world)
    image = canvas.brush.image
    canvas.brush.cover(pixels)
    low = np.clip(np.floor(pixels.min(axis=0)).astype(int), 0, [image.shape[1], image.shape[0]])
    high = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + 1, 0, [image.shape[1], image.shape[0]])
    if (high <= low).any():
        return
    window = image[low[1] : high[1], low[0] : high[0]]
    mask = np.zeros(window.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round((pixels - low) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    mirror = _mirror(canvas, low, high, phase)
    edge = cv2.erode(mask, np.ones((3, 3), np.uint8))
    wet = cv2.addWeighted(window, 0.38, mirror, 0.62, 0)
    rim = cv2.addWeighted(window, 0.62, np.zeros_like(window), 0.38, 0)
    blend = np.where(edge[..., None] > 128, wet, rim)
    weight = mask[..., None].astype(np.float32) / 255
    window[:] = (window * (1 - weight) + blend * weight).astype(np.uint8)


def _mirror(canvas: Canvas, low: np.ndarray, high: np.ndarray, phase: float) -> np.ndarray:
    rows = np.arange(low[1], high[1])
    ripple = np.sin(rows * 0.9 + phase * 6.28) * 1.6 + np.sin(rows * 0.37 - phase * 12.5) * 1.2
    horizon = canvas.camera.frame_height / 2 - canvas.camera.focal * np.tan(np.radians(canvas.camera.pitch))
    source = np.clip(horizon - (rows - horizon) * 0.55 + ripple, 0, canvas.camera.frame_height - 1).astype(
        int
    )
    columns = np.arange(low[0], high[0])
    picture = canvas.backdrop.image[source][:, columns]
    sky = np.array(canvas.light.sky_low)
    gleam = (np.sin(rows * 0.55 + phase * 6.28) > 0.86)[:, None, None] * 16.0
    return np.asarray(np.clip(picture * 0.45 + sky * 0.55 + gleam, 0, 255), np.uint8)
