"""Actors: what is drawn, where it is at a time, and under which label it counts as truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from demo.render.canvas import Canvas, Pose
from demo.render.people import Figure, cast_person, draw_person
from demo.render.props import (
    Bag,
    Rubbish,
    Stall,
    cast_bag,
    cast_rubbish,
    cast_stall,
    draw_bag,
    draw_rubbish,
    draw_stall,
)  # fmt: skip
from demo.render.vehicles import Body, cast_vehicle, draw_vehicle
from demo.render.water import Puddle, draw_puddle

LABELS = ("person", "vehicle", "bag", "garbage", "stall", "water")


class Actor(Protocol):
    """Anything that appears in a scene."""

    label: str

    def pose(self, time: float) -> Pose | None:
        """Where it is at ``time`` seconds; None while it is away."""

    def cast(self, canvas: Canvas, pose: Pose, time: float) -> None:
        """Adds its shadow."""

    def draw(self, canvas: Canvas, pose: Pose, time: float) -> None:
        """Paints it."""


@dataclass(frozen=True)
class Route:
    """Way points (time s, u, v); equal positions are a stop. Times may run past ``loop`` and wrap round it."""

    points: tuple[tuple[float, float, float], ...]
    loop: float

    def at(self, time: float) -> Pose | None:
        """The pose at a time of the loop, or None outside the route's own times."""
        start, end = self.points[0][0], self.points[-1][0]
        now = start + (time - start) % self.loop
        if now > end:
            return None
        for (t0, u0, v0), (t1, u1, v1) in zip(self.points[:-1], self.points[1:], strict=True):
            if now <= t1:
                share = (now - t0) / max(t1 - t0, 1e-6)
                distance = float(np.hypot(u1 - u0, v1 - v0))
                heading = float(np.arctan2(v1 - v0, u1 - u0)) if distance > 0.01 else self._heading(t0)
                walked = share * distance
                return Pose(
                    u0 + (u1 - u0) * share, v0 + (v1 - v0) * share, heading, walked / 1.45, distance > 0.01
                )
        return None

    def _heading(self, until: float) -> float:
        heading = 0.0
        for (_, u0, v0), (t1, u1, v1) in zip(self.points[:-1], self.points[1:], strict=True):
            if t1 <= until + 1e-6 and np.hypot(u1 - u0, v1 - v0) > 0.01:
                heading = float(np.arctan2(v1 - v0, u1 - u0))
        return heading


def between(time: float, start: float, end: float, loop: float) -> bool:
    """Whether ``time`` of the loop lies in [start, end)."""
    return (time - start) % loop < end - start


def ramp(time: float, start: float, end: float) -> float:
    """0 before start, 1 after end, linear between."""
    return float(np.clip((time - start) / max(end - start, 1e-6), 0.0, 1.0))


@dataclass
class Walker:
    """A pedestrian on a route; carries a bag while ``carries`` says so and bends while ``bends`` says so."""

    figure: Figure
    route: Route
    bag: Bag | None = None
    carries: Callable[[float], bool] = lambda time: False
    bends: Callable[[float], float] = lambda time: 0.0
    label: str = "person"

    def pose(self, time: float) -> Pose | None:
        """See Actor."""
        return self.route.at(time)

    def cast(self, canvas: Canvas, pose: Pose, time: float) -> None:
        """See Actor."""
        cast_person(canvas, self.figure, pose)

    def draw(self, canvas: Canvas, pose: Pose, time: float) -> None:
        """See Actor; the carried bag is part of the person."""
        bend = self.bends(time)
        draw_person(canvas, self.figure, pose, bend=bend, reach=bend)
        if self.bag is not None and self.carries(time):
            hand = Pose(
                pose.u + 0.3 * np.cos(pose.heading), pose.v + 0.3 * np.sin(pose.heading) - 0.1, pose.heading
            )
            draw_bag(canvas, self.bag, hand, lift=0.12 * (1 - bend))


@dataclass
class Vehicle:
    """A vehicle on a route."""

    body: Body
    route: Route
    label: str = "vehicle"

    def pose(self, time: float) -> Pose | None:
        """See Actor."""
        return self.route.at(time)

    def cast(self, canvas: Canvas, pose: Pose, time: float) -> None:
        """See Actor."""
        cast_vehicle(canvas, self.body, pose)

    def draw(self, canvas: Canvas, pose: Pose, time: float) -> None:
        """See Actor."""
        draw_vehicle(canvas, self.body, pose)


@dataclass
class Standing:
    """A thing at one place (or pushed on a route); ``amount`` 0..1 says how much of it there is."""

    thing: Bag | Rubbish | Stall | Puddle
    place: Pose
    amount: Callable[[float], float] = lambda time: 1.0
    route: Route | None = None
    label: str = field(init=False)

    def __post_init__(self) -> None:
        """The label follows from the thing."""
        kinds = {Bag: "bag", Rubbish: "garbage", Stall: "stall", Puddle: "water"}
        self.label = kinds[type(self.thing)]

    def pose(self, time: float) -> Pose | None:
        """See Actor; with a route it is pushed along it, turned as its place says."""
        if self.amount(time) <= 0.01:
            return None
        if self.route is None:
            return self.place
        moved = self.route.at(time)
        return None if moved is None else Pose(moved.u, moved.v, self.place.heading)

    def cast(self, canvas: Canvas, pose: Pose, time: float) -> None:
        """See Actor; water has no shadow."""
        if isinstance(self.thing, Bag):
            cast_bag(canvas, self.thing, pose)
        elif isinstance(self.thing, Rubbish):
            cast_rubbish(canvas, self.thing, pose, self.amount(time))
        elif isinstance(self.thing, Stall):
            cast_stall(canvas, self.thing, pose)

    def draw(self, canvas: Canvas, pose: Pose, time: float) -> None:
        """See Actor."""
        amount = self.amount(time)
        if isinstance(self.thing, Bag):
            draw_bag(canvas, self.thing, pose)
        elif isinstance(self.thing, Rubbish):
            draw_rubbish(canvas, self.thing, pose, amount)
        elif isinstance(self.thing, Stall):
            draw_stall(canvas, self.thing, pose, amount)
        else:
            draw_puddle(canvas, self.thing, pose, amount, time / 4)
