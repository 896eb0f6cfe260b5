"""Things that belong in a street and are nobody's finding: trees, lamp posts, bins, benches, bollards, signs."""

from __future__ import annotations

import numpy as np

from demo.render.canvas import Canvas, Pose, oriented, ring
from demo.render.light import shade


def plant_tree(canvas: Canvas, rng: np.random.Generator, u: float, v: float) -> None:
    """A street tree: trunk and a crown of many leaves."""
    tall = float(rng.uniform(4.2, 6.5))
    ends = canvas.project(np.array([[u, v, 0.0], [u, v, tall]]))
    if canvas.camera.depth(np.array([[u, v, 0.0]]))[0] < 4:
        return
    h = float(ends[0, 1] - ends[1, 1])
    canvas.cast(
        np.array([[u - 0.9, v - 0.9], [u + 0.9, v - 0.9], [u + 0.9, v + 0.9], [u - 0.9, v + 0.9]]), 1.2
    )
    crown = ends[0] + (ends[1] - ends[0]) * 0.74
    canvas.brush.line(ends[0], crown, max(1.5, 0.05 * h), (50, 66, 82))
    for number in range(46):
        angle, reach = rng.uniform(0, 2 * np.pi), np.sqrt(rng.random())
        at = crown + np.array([np.cos(angle) * reach * 0.30 * h, np.sin(angle) * reach * 0.26 * h])
        lit = 0.62 + 0.5 * float(rng.random()) - 0.22 * float(np.sin(angle) * reach) + 0.004 * number
        size = float(rng.uniform(0.05, 0.105)) * h
        canvas.brush.disc(at, size, size * 0.85, shade((52, 106, 76), lit))


def put_lamp(canvas: Canvas, u: float, v: float, over: float) -> None:
    """A street lamp whose arm reaches over the road."""
    points = np.array([[u, v, 0.0], [u, v, 6.8], [u, v + over, 7.1]])
    if canvas.camera.depth(points).min() < 3:
        return
    pixels = canvas.project(points)
    width = max(1.4, 0.017 * float(pixels[0, 1] - pixels[1, 1]))
    canvas.brush.line(pixels[0], pixels[1], width, (104, 104, 100))
    canvas.brush.line(pixels[1], pixels[2], width * 0.8, (104, 104, 100))
    glow = (200, 236, 250) if canvas.light.night else (190, 190, 186)
    tint, canvas.brush.tint = canvas.brush.tint, (1.0, 1.0, 1.0)
    canvas.brush.disc(pixels[2], width * 1.8, width * 0.9, glow)
    canvas.brush.tint = tint


def put_bin(canvas: Canvas, u: float, v: float, green: bool) -> None:
    """A litter bin of 1.05 m with a lid."""
    pose = Pose(u, v)
    colour = (70, 120, 60) if green else (120, 96, 70)
    canvas.cast(oriented(pose, ring(-0.3, 0.3, 0.3, 0))[:, :2], 1.0)
    canvas.prism(
        oriented(pose, ring(-0.26, 0.26, 0.28, 0.05)), oriented(pose, ring(-0.3, 0.3, 0.32, 0.92)), colour
    )
    canvas.prism(
        oriented(pose, ring(-0.33, 0.33, 0.35, 0.92)),
        oriented(pose, ring(-0.3, 0.3, 0.3, 1.05)),
        shade(colour, 0.7),
    )


def put_bench(canvas: Canvas, u: float, v: float) -> None:
    """A wooden bench along the street."""
    pose = Pose(u, v)
    canvas.cast(oriented(pose, ring(-0.8, 0.8, 0.25, 0))[:, :2], 0.5)
    for x in (-0.65, 0.6):
        canvas.prism(
            oriented(pose, ring(x, x + 0.08, 0.2, 0.0)),
            oriented(pose, ring(x, x + 0.08, 0.2, 0.42)),
            (70, 70, 72),
        )
    canvas.prism(
        oriented(pose, ring(-0.8, 0.8, 0.24, 0.40)),
        oriented(pose, ring(-0.8, 0.8, 0.24, 0.47)),
        (70, 112, 150),
    )
    back = np.array([0.0, 0.24, 0.0])
    canvas.prism(
        oriented(pose, ring(-0.8, 0.8, 0.03, 0.5) + back),
        oriented(pose, ring(-0.8, 0.8, 0.03, 0.88) + back),
        (66, 104, 140),
    )


def put_bollards(canvas: Canvas, v: float, start: float, count: int) -> None:
    """A row of bollards along the kerb."""
    for number in range(count):
        u = start + number * 1.6
        ends = canvas.project(np.array([[u, v, 0.0], [u, v, 0.75]]))
        if canvas.camera.depth(np.array([[u, v, 0.0]]))[0] < 3:
            continue
        width = 0.2 * float(ends[0, 1] - ends[1, 1])
        canvas.brush.line(ends[0], ends[1], width, (120, 120, 122))
        top = ends[0] + (ends[1] - ends[0]) * 0.8
        canvas.brush.line(top, top + (ends[1] - ends[0]) * 0.12, width, (60, 190, 220))


def put_sign(canvas: Canvas, u: float, v: float) -> None:
    """A round traffic sign on a post."""
    ends = canvas.project(np.array([[u, v, 0.0], [u, v, 2.6]]))
    h = float(ends[0, 1] - ends[1, 1])
    canvas.brush.line(ends[0], ends[1], max(1.2, 0.025 * h), (130, 130, 130))
    canvas.brush.disc(ends[1], 0.115 * h, 0.125 * h, (58, 52, 190))
    canvas.brush.disc(ends[1], 0.085 * h, 0.095 * h, (226, 226, 226))


def furnish(canvas: Canvas, rng: np.random.Generator) -> None:
    """Puts a street's furniture along both pavements, far to near."""
    street = canvas.backdrop.street
    far_row = street.far_edge - 0.7
    for u in np.arange(-66, 67, float(rng.uniform(7, 12))):
        plant_tree(canvas, rng, float(u + rng.uniform(-1, 1)), far_row if not street.lawn else far_row - 1.0)
    for u in np.arange(-56, 57, 16.0):
        put_lamp(canvas, float(u), street.road + 0.7, -1.8)
    for _ in range(int(rng.integers(1, 4))):
        put_bin(
            canvas,
            float(rng.uniform(-18, 18)),
            street.road + float(rng.uniform(1.2, 2.0)),
            bool(rng.random() < 0.5),
        )
    if rng.random() < 0.6:
        put_bench(canvas, float(rng.uniform(-12, 12)), street.road + street.far * 0.72)
    if rng.random() < 0.5:
        put_sign(canvas, float(rng.uniform(-15, 15)), street.road + 0.5)
    if rng.random() < 0.5:
        put_bollards(canvas, -0.5, float(rng.uniform(-16, 2)), int(rng.integers(4, 9)))
    if street.near > 5 and rng.random() < 0.7:
        put_bin(
            canvas,
            float(rng.uniform(-8, 8)),
            -street.near * float(rng.uniform(0.2, 0.6)),
            bool(rng.random() < 0.5),
        )
