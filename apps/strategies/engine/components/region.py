"""region@1: drops targets that do not stand inside a region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from apps.strategies.engine.base import Carried, Component, Parameters, Passed, Stopped, Words
from apps.strategies.engine.values import Context, Point


def is_inside(point: Point, ring: Sequence[Point]) -> bool:
    """Whether `point` lies in the polygon or on its edge (ray casting, even-odd rule)."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        cross = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        on_line = abs(cross) < 1e-12
        if on_line and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return True
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def judge(carried: Carried, parameters: Parameters, context: Context) -> Passed | Stopped:
    """Keeps targets whose bottom centre lies in one of the polygons.

    `polygons` of the node count, else the regions of the scene rule; without either the whole frame is meant.
    A hit without targets passes.
    """
    raw = carried.raw
    own = parameters.get("polygons")
    rings: Sequence[Sequence[Point]] = (
        [[(float(x), float(y)) for x, y in ring] for ring in own] if own is not None else raw.regions
    )
    if not raw.targets or (own is None and not rings):
        return Passed(carried, {"regions": len(rings)})
    kept = tuple(
        target for target in raw.targets if any(is_inside(target.bottom_centre, ring) for ring in rings)
    )
    detail = {"regions": len(rings), "kept": len(kept), "of": len(raw.targets)}
    if not kept:
        return Stopped("outside_region", detail)
    return Passed(replace(carried, raw=replace(raw, targets=kept)), detail)


COMPONENT = Component(
    name="region@1",
    title=Words("区域", "Region"),
    judge=judge,
    parameters={
        "polygons": {
            "type": "array",
            "items": {
                "type": "array",
                "minItems": 3,
                "items": {
                    "type": "array",
                    "minItems": 2,
                    "maxItems": 2,
                    "items": {"type": "number", "minimum": 0, "maximum": 1},
                },
            },
            "title": "Polygons",
            "x-title": {"zh": "多边形", "en": "Polygons"},
            "description": "Without them the regions of the scene rule count; an empty list lets nothing through.",
        }
    },
    reasons={"outside_region": Words("在区域外", "Outside the region")},
)
