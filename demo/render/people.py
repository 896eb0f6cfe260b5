"""Pedestrians: jointed figures that walk, stand, bend and carry things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.render.canvas import Canvas, Pose
from demo.render.light import Colour, shade

_CLOTHES: tuple[Colour, ...] = (
    (150, 60, 40), (60, 60, 170), (70, 120, 60), (200, 195, 190), (60, 55, 52), (60, 170, 210),
    (160, 110, 60), (110, 60, 130), (40, 90, 190), (185, 160, 150), (92, 92, 96), (150, 140, 70),
)  # fmt: skip
_TROUSERS: tuple[Colour, ...] = ((70, 52, 40), (48, 46, 46), (96, 74, 52), (108, 112, 122), (40, 60, 82))
_SKIN: tuple[Colour, ...] = ((140, 170, 214), (120, 150, 196), (96, 124, 170))


@dataclass(frozen=True)
class Figure:
    """What one pedestrian looks like; height in metres."""

    height: float
    coat: Colour
    trousers: Colour
    skin: Colour
    hair: Colour
    skirt: bool
    hat: bool
    vest: bool = False

    @classmethod
    def random(cls, rng: np.random.Generator, *, vest: bool = False) -> Figure:
        """A passer-by drawn from the generator."""
        pick = rng.integers
        return cls(
            height=float(rng.uniform(1.55, 1.86)),
            coat=(30, 130, 235) if vest else _CLOTHES[pick(len(_CLOTHES))],
            trousers=_TROUSERS[pick(len(_TROUSERS))],
            skin=_SKIN[pick(len(_SKIN))],
            hair=shade((46, 44, 48), float(rng.uniform(0.6, 1.6))),
            skirt=bool(rng.random() < 0.2),
            hat=bool(rng.random() < 0.15),
            vest=vest,
        )


def draw_person(canvas: Canvas, figure: Figure, pose: Pose, *, bend: float = 0.0, reach: float = 0.0) -> None:
    """Draws the figure; ``bend`` 0..1 leans it down, ``reach`` 0..1 stretches the arms forward."""
    feet = np.array([[pose.u, pose.v, 0.0], [pose.u, pose.v, figure.height]])
    if canvas.camera.depth(feet).min() < 1.5:
        return
    ground, crown = canvas.project(feet)
    h = float(ground[1] - crown[1])
    up = np.array([(crown[0] - ground[0]) / h, -1.0])
    right, _, _ = canvas.camera.axes
    sideways = float(np.cos(pose.heading) * right[0] + np.sin(pose.heading) * right[1])
    face = np.array([1.0 if sideways >= 0 else -1.0, 0.0])
    swing = np.sin(pose.phase * 2 * np.pi) if pose.moving else 0.0
    spread = (0.05 + 0.12 * abs(sideways)) * swing
    broad = 0.125 - 0.045 * abs(sideways)

    def at(x: float, y: float) -> np.ndarray:
        return np.asarray(ground + up * (h * y) + np.array([x * h, 0.0]))

    hip_y = 0.47 - 0.06 * bend
    lean = face * h * 0.22 * bend
    hip, neck = at(0, hip_y), at(0, 0.82 - 0.26 * bend) + lean
    brush, coat = canvas.brush, figure.coat
    for sign, dark in ((1.0, 0.78), (-1.0, 1.0)):
        foot = at(sign * spread * face[0], 0.012 + max(0.0, -sign * swing) * 0.02)
        knee = (hip + foot) / 2 + face * h * (0.02 + 0.05 * bend)
        brush.line(hip + np.array([sign * broad * 0.3 * h, 0]), knee, 0.088 * h, shade(figure.trousers, dark))
        brush.line(knee, foot, 0.07 * h, shade(figure.trousers, dark * 0.95))
        brush.line(foot, foot + face * 0.06 * h, 0.04 * h, (38, 36, 36))
    if figure.skirt:
        wide = np.array([broad * 1.15 * h, 0])
        hem = at(0, 0.3)
        brush.polygon(np.stack([hip - wide * 0.7, hip + wide * 0.7, hem + wide, hem - wide]), figure.trousers)
    _arm(canvas, figure, neck, face, h, -swing, reach, 0.75)
    wide, narrow = np.array([broad * h, 0]), np.array([broad * 0.82 * h, 0])
    brush.polygon(np.stack([neck - wide, neck + wide, hip + narrow, hip - narrow]), coat)
    light_side = np.stack([neck - wide, neck - wide * 0.2, hip - narrow * 0.3, hip - narrow])
    brush.polygon(light_side, shade(coat, 1.14))
    if figure.vest:
        brush.line(
            (neck * 2 + hip) / 3 - wide * 0.9, (neck * 2 + hip) / 3 + wide * 0.9, 0.035 * h, (200, 225, 225)
        )
    _arm(canvas, figure, neck, face, h, swing, reach, 1.08)
    head = neck + up * (0.095 * h) + face * (0.02 + 0.04 * bend) * h
    brush.line(neck, head, 0.05 * h, figure.skin)
    brush.disc(head, 0.055 * h, 0.075 * h, figure.skin)
    brush.disc(head + up * (0.028 * h) - face * 0.016 * h, 0.058 * h, 0.052 * h, figure.hair)
    if figure.hat:
        brush.disc(head + up * (0.05 * h), 0.085 * h, 0.025 * h, shade(coat, 0.7))


def _arm(
    canvas: Canvas,
    figure: Figure,
    neck: np.ndarray,
    face: np.ndarray,
    h: float,
    swing: float,
    reach: float,
    lit: float,
) -> None:
    shoulder = neck + np.array([0.0, 0.035 * h])
    elbow = shoulder + np.array([face[0] * h * (0.06 * swing + 0.10 * reach), 0.17 * h])
    hand = elbow + np.array([face[0] * h * (0.10 * swing + 0.14 * reach), 0.15 * h * (1 - 0.5 * reach)])
    canvas.brush.line(shoulder, elbow, 0.062 * h, shade(figure.coat, lit * 0.92))
    canvas.brush.line(elbow, hand, 0.05 * h, shade(figure.coat, lit * 0.92))
    canvas.brush.disc(hand, 0.024 * h, 0.024 * h, figure.skin)


def cast_person(canvas: Canvas, figure: Figure, pose: Pose) -> None:
    """The shadow of a standing figure."""
    half = 0.22
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    canvas.cast(corners + np.array([pose.u, pose.v]), figure.height)
