"""Traffic and passers-by that loop without a jump."""

from __future__ import annotations

import numpy as np

from demo.render.actors import Actor, Route, Vehicle, Walker
from demo.render.people import Figure
from demo.render.street import Street
from demo.render.vehicles import Body

_REACH = 62.0


def traffic(
    rng: np.random.Generator, street: Street, loop: float, per_lane: int, start: float = 0.0
) -> list[Actor]:
    """Vehicles on every lane, the near half heading +u (traffic keeps right), evenly spaced with some scatter."""
    width = street.road / street.lanes
    found: list[Actor] = []
    for lane in range(street.lanes):
        v = (lane + 0.5) * width
        way = 1.0 if v < street.road / 2 else -1.0
        speed = float(rng.uniform(6.5, 9.5))
        lasts = 2 * _REACH / speed
        for number in range(per_lane):
            gap = loop / per_lane
            at = start + number * gap + float(rng.uniform(0, 0.45)) * gap
            route = Route(((at, -way * _REACH, v), (at + lasts, way * _REACH, v)), loop)
            found.append(Vehicle(Body.random(rng), route))
    return found


def passers(
    rng: np.random.Generator, loop: float, rows: list[tuple[float, float]], count: int, reach: float = 30.0
) -> list[Actor]:
    """``count`` people walking along strips (v from, v to), both ways, spread over the loop."""
    found: list[Actor] = []
    for number in range(count):
        low, high = rows[number % len(rows)]
        v = float(rng.uniform(low, high))
        way = 1.0 if rng.random() < 0.5 else -1.0
        far = min(reach, 0.48 * loop * 1.3)
        speed = float(rng.uniform(1.15, 1.55))
        at = loop * (number + float(rng.uniform(0, 0.6))) / count
        route = Route(
            ((at, -way * far, v), (at + 2 * far / speed, way * far, v + float(rng.uniform(-0.3, 0.3)))), loop
        )
        found.append(Walker(Figure.random(rng), route))
    return found
