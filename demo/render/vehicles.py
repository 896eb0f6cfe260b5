"""Cars, vans, lorries, buses and three-wheelers as solids in true perspective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.render.camera import Floats
from demo.render.canvas import Canvas, Pose, faces, oriented, ring
from demo.render.light import Colour, shade

_PAINT: tuple[Colour, ...] = (
    (225, 225, 224), (60, 58, 56), (160, 160, 162), (52, 46, 165), (150, 90, 44), (196, 186, 170),
    (40, 120, 60), (46, 150, 205), (110, 104, 100), (90, 60, 50),
)  # fmt: skip
_GLASS: Colour = (92, 80, 66)


@dataclass(frozen=True)
class Body:
    """Sizes in metres; the cabin is given by its ends at the bottom and at the top."""

    length: float
    width: float
    clear: float
    waist: float
    cabin: tuple[float, float, float, float]
    roof: float
    paint: Colour
    wheel: float = 0.32
    cargo: tuple[float, float, float] | None = None  # from, to, top of a box behind the cabin

    @classmethod
    def random(cls, rng: np.random.Generator, kind: str | None = None) -> Body:
        """A vehicle of the wanted kind (car, van, lorry, bus) or of a likely one."""
        kind = kind or str(rng.choice(["car", "car", "car", "suv", "van", "lorry", "bus"]))
        paint = _PAINT[rng.integers(len(_PAINT))]
        size = float(rng.uniform(0.94, 1.06))
        if kind == "bus":
            return cls(10.5 * size, 2.5, 0.35, 1.25, (-5.1, 5.15, -5.05, 5.05), 3.0, paint, 0.45)
        if kind == "lorry":
            cargo = (-3.1 * size, 1.3, float(rng.uniform(2.4, 3.1)))
            return cls(6.4 * size, 2.2, 0.5, 1.2, (1.5, 3.1, 1.5, 2.7), 2.3, paint, 0.42, cargo)
        if kind == "van":
            return cls(4.9 * size, 1.85, 0.3, 1.05, (-2.35, 1.9, -2.3, 1.2), 2.05, paint, 0.34)
        if kind == "suv":
            return cls(4.6 * size, 1.88, 0.32, 0.98, (-2.15, 1.0, -1.95, 0.4), 1.68, paint, 0.36)
        return cls(4.45 * size, 1.78, 0.24, 0.84, (-1.75, 1.15, -1.15, 0.45), 1.42, paint)


def draw_vehicle(canvas: Canvas, body: Body, pose: Pose) -> None:
    """Paints body, wheels, cabin, windows and lamps; nothing when it is too near the lens."""
    half, wide = body.length / 2, body.width / 2
    corners = oriented(pose, ring(-half, half, wide, 0.0))
    if canvas.camera.depth(corners).min() < 2.0:
        return
    low, high = (
        oriented(pose, ring(-half, half, wide, body.clear)),
        oriented(pose, ring(-half, half, wide, body.waist)),
    )
    _skirt(canvas, corners, low)
    if body.cargo is not None:
        back, front, top = body.cargo
        canvas.prism(low, high, body.paint)
        _wheels(canvas, body, pose)
        _cabin(canvas, body, pose)
        box = oriented(pose, ring(back, front, wide * 1.02, body.waist * 0.85))
        lid = oriented(pose, ring(back, front, wide * 1.02, top))
        canvas.prism(box, lid, shade((205, 205, 205), 0.95))
    else:
        canvas.prism(low, high, body.paint)
        _wheels(canvas, body, pose)
        _cabin(canvas, body, pose)
    _lamps(canvas, body, pose)


def _skirt(canvas: Canvas, corners: Floats, low: Floats) -> None:
    pixels = canvas.project(np.concatenate([corners, low]))
    canvas.brush.polygon(pixels[:4], (34, 33, 33))


_TURN = np.linspace(0, 2 * np.pi, 13)[:-1]


def _wheels(canvas: Canvas, body: Body, pose: Pose) -> None:
    reach = body.length / 2 - 0.85
    left = np.array([-np.sin(pose.heading), np.cos(pose.heading)])
    away = float(left @ (canvas.camera.position[:2] - np.array([pose.u, pose.v])))
    if abs(away) <= body.width / 2:
        return
    side = float(np.sign(away)) * (body.width / 2 + 0.01)
    discs = [(ahead, body.wheel * size) for ahead in (-reach, reach) for size in (1.0, 0.55)]
    local = np.concatenate(
        [
            np.column_stack(
                [at + radius * np.cos(_TURN), np.full(12, side), body.wheel + radius * np.sin(_TURN)]
            )
            for at, radius in discs
        ]
    )
    pixels = canvas.project(oriented(pose, local))
    for number in range(4):
        colour = (136.0, 136.0, 138.0) if number % 2 else (30.0, 29.0, 29.0)
        canvas.brush.polygon(pixels[number * 12 : number * 12 + 12], colour)


_SIDE_PANES = ((0.06, 0.48), (0.54, 0.94))
_END_PANES = ((0.07, 0.93),)
_BUS_PANES = tuple((0.03 + 0.16 * number, 0.16 + 0.16 * number) for number in range(6))


def _cabin(canvas: Canvas, body: Body, pose: Pose) -> None:
    back, front, back_top, front_top = body.cabin
    wide = body.width / 2
    base = oriented(pose, ring(back, front, wide * 0.97, body.waist))
    top = oriented(pose, ring(back_top, front_top, wide * 0.82, body.roof))
    canvas.prism(base, top, shade(body.paint, 0.96), shade(body.paint, 1.08))
    middle = (base.mean(axis=0) + top.mean(axis=0)) / 2
    _, facing = faces(base, top, middle, canvas.camera.position)
    for side in np.flatnonzero(facing):
        after = (side + 1) % 4
        quad = np.stack([base[side], base[after], top[after], top[side]])
        panes = _END_PANES if side in (1, 3) else _BUS_PANES if body.length > 8 else _SIDE_PANES
        corners = np.concatenate([_inset(quad, start, end) for start, end in panes])
        pixels = canvas.project(corners)
        for number in range(len(panes)):
            canvas.brush.polygon(pixels[number * 8 : number * 8 + 4], _GLASS)
            canvas.brush.polygon(pixels[number * 8 + 4 : number * 8 + 8], shade(_GLASS, 1.5))


def _inset(quad: Floats, left: float, right: float) -> Floats:
    """A window and the shine on it as 8 points of the face, given by shares of its width."""
    shine = left + (right - left) * 0.4
    x = np.array([left, right, right, left, left, shine, shine, left])[:, None]
    y = np.array([0.18, 0.18, 0.88, 0.88, 0.55, 0.55, 0.86, 0.86])[:, None]
    bottom = quad[0] + (quad[1] - quad[0]) * x
    return np.asarray(bottom + (quad[3] + (quad[2] - quad[3]) * x - bottom) * y)


def _lamps(canvas: Canvas, body: Body, pose: Pose) -> None:
    half, wide = body.length / 2 + 0.01, body.width / 2
    night = canvas.light.night
    for end, colour in ((1.0, (190, 225, 235)), (-1.0, (40, 40, 200))):
        normal = oriented(Pose(0, 0, pose.heading), np.array([[end, 0.0, 0.0]]))[0]
        centre = oriented(pose, np.array([[end * half, 0.0, body.waist * 0.7]]))
        if normal @ (canvas.camera.position - centre[0]) <= 0:
            continue
        tint, canvas.brush.tint = canvas.brush.tint, (1.0, 1.0, 1.0) if night else canvas.brush.tint
        for side in (-1.0, 1.0):
            y0, y1 = side * (wide - 0.42), side * (wide - 0.08)
            z0, z1 = body.waist * 0.60, body.waist * 0.82
            x = end * half
            lamp = np.array([[x, y0, z0], [x, y1, z0], [x, y1, z1], [x, y0, z1]])
            canvas.brush.polygon(canvas.project(oriented(pose, lamp)), shade(colour, 1.15 if night else 0.95))
        canvas.brush.tint = tint


def cast_vehicle(canvas: Canvas, body: Body, pose: Pose) -> None:
    """The vehicle's shadow."""
    corners = oriented(pose, ring(-body.length / 2, body.length / 2, body.width / 2, 0.0))
    canvas.cast(corners[:, :2], body.roof * 0.85)
