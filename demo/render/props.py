"""Things that lie or stand about: bags, rubbish, stalls."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from demo.render.canvas import Canvas, Pose, oriented, ring
from demo.render.light import Colour, shade

_LUGGAGE: tuple[Colour, ...] = (
    (44, 44, 170), (150, 74, 36), (50, 46, 46), (40, 110, 60), (36, 120, 200), (120, 50, 110), (70, 90, 120),
)  # fmt: skip


@dataclass(frozen=True)
class Bag:
    """A suitcase, holdall or rucksack; sizes in metres (length, depth, height)."""

    size: tuple[float, float, float]
    colour: Colour
    wheeled: bool

    @classmethod
    def random(cls, rng: np.random.Generator) -> Bag:
        """A piece of luggage drawn from the generator."""
        kind = int(rng.integers(3))
        size = ((0.5, 0.28, 0.66), (0.68, 0.34, 0.36), (0.42, 0.26, 0.5))[kind]
        grow = float(rng.uniform(0.9, 1.2))
        return cls(
            (size[0] * grow, size[1] * grow, size[2] * grow), _LUGGAGE[rng.integers(len(_LUGGAGE))], kind == 0
        )


def draw_bag(canvas: Canvas, bag: Bag, pose: Pose, lift: float = 0.0) -> None:
    """The bag standing at the pose, ``lift`` metres above the ground when carried."""
    length, depth, tall = bag.size
    base = oriented(pose, ring(-length / 2, length / 2, depth / 2, lift + 0.03))
    top = oriented(pose, ring(-length * 0.44, length * 0.44, depth * 0.40, lift + tall))
    canvas.prism(base, top, bag.colour)
    band = [
        oriented(pose, ring(-length / 2 - 0.005, length / 2 + 0.005, depth / 2 + 0.005, lift + tall * at))
        for at in (0.46, 0.54)
    ]
    canvas.prism(band[0], band[1], shade(bag.colour, 0.55), shade(bag.colour, 0.55))
    handle = np.array(
        [
            [-length * 0.18, 0, 0.0],
            [-length * 0.14, 0, 0.13],
            [length * 0.14, 0, 0.13],
            [length * 0.18, 0, 0.0],
        ]
    )
    if bag.wheeled:
        handle[1:3, 2] = 0.3
    handle[:, 2] += lift + tall
    pixels = canvas.project(oriented(pose, handle))
    width = max(1.0, 0.04 * float(np.ptp(canvas.project(np.concatenate([base, top]))[:, 1])) * 1.4)
    for start, end in pairwise(pixels):
        canvas.brush.line(start, end, width, (46, 44, 44))


def cast_bag(canvas: Canvas, bag: Bag, pose: Pose) -> None:
    """The bag's shadow."""
    length, depth, tall = bag.size
    canvas.cast(oriented(pose, ring(-length / 2, length / 2, depth / 2, 0.0))[:, :2], tall)


@dataclass(frozen=True)
class Rubbish:
    """A heap of pieces: offset (m), kind, size (m), colour; they come in this order."""

    pieces: tuple[tuple[float, float, int, float, Colour], ...]

    @classmethod
    def random(cls, rng: np.random.Generator, count: int = 16, spread: float = 0.62) -> Rubbish:
        """A heap of ``count`` pieces, dense in the middle."""
        pieces = []
        for number in range(count):
            ring_ = spread * (0.15 + 0.85 * (number / count) ** 0.6)
            angle = rng.uniform(0, 2 * np.pi)
            kind = int(rng.choice([0, 0, 0, 1, 1, 2, 2]))
            colour = _rubbish_colour(rng, kind)
            size = float(
                rng.uniform(0.28, 0.46)
                if kind == 0
                else rng.uniform(0.2, 0.42)
                if kind == 1
                else rng.uniform(0.1, 0.2)
            )
            pieces.append(
                (float(ring_ * np.cos(angle)) * 1.35, float(ring_ * np.sin(angle)), kind, size, colour)
            )
        return cls(tuple(pieces))


def _rubbish_colour(rng: np.random.Generator, kind: int) -> Colour:
    if kind == 0:
        sacks: tuple[Colour, ...] = (
            (42, 40, 40),
            (52, 52, 56),
            (210, 208, 204),
            (60, 84, 60),
            (38, 36, 44),
            (190, 150, 110),
        )
        return sacks[rng.integers(len(sacks))]
    if kind == 1:
        return shade((88, 134, 172), float(rng.uniform(0.75, 1.1)))
    return (float(rng.uniform(60, 240)), float(rng.uniform(60, 240)), float(rng.uniform(60, 240)))


def draw_rubbish(canvas: Canvas, heap: Rubbish, pose: Pose, amount: float) -> None:
    """The first ``amount`` (0..1) of the heap's pieces, far ones first."""
    count = int(np.ceil(len(heap.pieces) * amount))
    pieces = sorted(
        heap.pieces[:count], key=lambda piece: -piece[1] if canvas.camera.v < pose.v else piece[1]
    )
    for du, dv, kind, size, colour in pieces:
        place = Pose(pose.u + du, pose.v + dv, heading=du * 7 + dv * 3)
        if kind == 0:
            _sack(canvas, place, size, colour)
        elif kind == 1:
            base = oriented(place, ring(-size / 2, size / 2, size * 0.36, 0.0))
            top = oriented(place, ring(-size / 2, size / 2, size * 0.36, size * 0.6))
            canvas.prism(base, top, colour, shade(colour, 0.8))
        else:
            flat = oriented(place, ring(-size / 2, size / 2, size * 0.4, 0.02))
            canvas.brush.polygon(canvas.project(flat), colour)


def _sack(canvas: Canvas, place: Pose, size: float, colour: Colour) -> None:
    ends = canvas.project(np.array([[place.u, place.v, 0.0], [place.u, place.v, size * 0.95]]))
    tall = float(ends[0, 1] - ends[1, 1])
    middle = (ends[0] + ends[1]) / 2
    canvas.brush.disc(middle + np.array([0, tall * 0.08]), tall * 0.62, tall * 0.5, colour)
    canvas.brush.disc(
        middle + np.array([-tall * 0.16, -tall * 0.12]), tall * 0.3, tall * 0.24, shade(colour, 1.28)
    )
    knot = ends[1]
    canvas.brush.polygon(
        np.stack([middle + np.array([-tall * 0.12, -tall * 0.36]), knot + np.array([-tall * 0.14, -tall * 0.1]),
                  knot + np.array([tall * 0.14, -tall * 0.1]), middle + np.array([tall * 0.12, -tall * 0.36])]),
        shade(colour, 0.85),
    )  # fmt: skip


def cast_rubbish(canvas: Canvas, heap: Rubbish, pose: Pose, amount: float) -> None:
    """A flat shadow under the heap."""
    reach = 0.4 + 0.45 * amount
    canvas.cast(oriented(pose, ring(-reach * 1.2, reach * 1.2, reach * 0.8, 0.0))[:, :2], 0.28)


@dataclass(frozen=True)
class Stall:
    """A table with goods under an awning or umbrella; sizes in metres."""

    length: float
    depth: float
    cloth: tuple[Colour, Colour]
    table: Colour
    umbrella: bool
    goods: tuple[tuple[float, float, float, Colour], ...]

    @classmethod
    def random(cls, rng: np.random.Generator) -> Stall:
        """A street vendor's stall drawn from the generator."""
        first: tuple[Colour, ...] = (
            (50, 50, 196),
            (170, 96, 40),
            (60, 140, 60),
            (40, 150, 220),
            (150, 60, 120),
        )
        cloth = (first[rng.integers(len(first))], (226, 226, 224))
        length = float(rng.uniform(1.7, 2.5))
        goods = []
        for at in np.arange(-length / 2 + 0.16, length / 2 - 0.1, 0.27):
            colour = (float(rng.uniform(20, 110)), float(rng.uniform(60, 220)), float(rng.uniform(110, 240)))
            goods += [(float(at), float(row), float(rng.uniform(0.09, 0.2)), colour) for row in (-0.22, 0.16)]
        table = shade((150, 172, 190), float(rng.uniform(0.5, 1.05)))
        return cls(length, float(rng.uniform(0.8, 1.1)), cloth, table, bool(rng.random() < 0.5), tuple(goods))


def draw_stall(canvas: Canvas, stall: Stall, pose: Pose, opened: float = 1.0) -> None:
    """The stall; ``opened`` 0..1 raises the awning and lays out the goods."""
    half, wide = stall.length / 2, stall.depth / 2
    canvas.prism(
        oriented(pose, ring(-half, half, wide, 0.0)), oriented(pose, ring(-half, half, wide, 0.78)),
        shade(stall.cloth[0], 0.8), stall.table,
    )  # fmt: skip
    shown = stall.goods[: int(len(stall.goods) * opened)]
    for at, row, tall, colour in shown:
        base = oriented(pose, ring(at - 0.1, at + 0.1, 0.1, 0.78) + np.array([0, row, 0]))
        canvas.prism(base, base + np.array([0, 0, tall]), colour)
    roof = 0.9 + 1.25 * opened
    if stall.umbrella:
        _umbrella(canvas, stall, pose, roof)
    else:
        _awning(canvas, stall, pose, roof)


def _umbrella(canvas: Canvas, stall: Stall, pose: Pose, roof: float) -> None:
    pole = canvas.project(np.array([[pose.u, pose.v, 0.7], [pose.u, pose.v, roof + 0.4]]))
    canvas.brush.line(pole[0], pole[1], max(1.2, 0.03 * abs(pole[0, 1] - pole[1, 1])), (150, 150, 150))
    turn = np.linspace(0, 2 * np.pi, 11)
    radius = 1.25 * min(1.0, 0.4 + roof / 3)
    rim = np.column_stack([pose.u + radius * np.cos(turn), pose.v + radius * np.sin(turn), np.full(11, roof)])
    pixels, tip = canvas.project(rim), pole[1]
    order = sorted(range(10), key=lambda n: -canvas.camera.depth(rim[n : n + 2]).mean())
    for n in order:
        lit = 0.82 + 0.2 * float(np.cos(turn[n] + 0.8))
        canvas.brush.polygon(np.stack([tip, pixels[n], pixels[n + 1]]), shade(stall.cloth[n % 2], lit))


def _awning(canvas: Canvas, stall: Stall, pose: Pose, roof: float) -> None:
    half, wide = stall.length / 2 + 0.15, stall.depth / 2 + 0.3
    corners = oriented(pose, ring(-half, half, wide, 0.75))
    tops = oriented(pose, ring(-half, half, wide, roof))
    posts = canvas.project(np.concatenate([corners, tops]))
    for n in range(4):
        canvas.brush.line(
            posts[n], posts[4 + n], max(1.0, 0.02 * abs(posts[n, 1] - posts[4 + n, 1])), (140, 140, 142)
        )
    stripes = 8
    for n in range(stripes):
        a, b = -half + 2 * half * n / stripes, -half + 2 * half * (n + 1) / stripes
        lit = 1.02
        for near, far, z0, z1 in (
            (-wide, 0.0, roof - 0.12, roof + 0.22),
            (0.0, wide, roof + 0.22, roof - 0.12),
        ):
            strip = np.array([[a, near, z0], [b, near, z0], [b, far, z1], [a, far, z1]])
            canvas.brush.polygon(canvas.project(oriented(pose, strip)), shade(stall.cloth[n % 2], lit))
            lit = 0.86
        for edge in (-wide, wide):
            hem = np.array(
                [
                    [a, edge, roof - 0.12],
                    [b, edge, roof - 0.12],
                    [b, edge, roof - 0.32],
                    [a, edge, roof - 0.32],
                ]
            )
            canvas.brush.polygon(canvas.project(oriented(pose, hem)), shade(stall.cloth[n % 2], 0.9))


def cast_stall(canvas: Canvas, stall: Stall, pose: Pose) -> None:
    """The shadow of table and roof."""
    canvas.cast(
        oriented(pose, ring(-stall.length / 2, stall.length / 2, stall.depth / 2 + 0.2, 0.0))[:, :2], 1.9
    )
