"""Graphs compiled once per process, and raw events as graphs see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.analysis.models import SceneRule
from apps.events.models import RawEvent
from apps.strategies.engine.graph import Compiled, compile_graph
from apps.strategies.engine.values import Point, RawInput, Target
from apps.strategies.models import StrategyVersion

_graphs: dict[UUID, Compiled] = {}
_rings: dict[UUID, list[list[Point]]] = {}
KEPT = 5_000


def compiled(version: StrategyVersion) -> Compiled:
    """The version's graph; versions never change, so it is compiled once."""
    if version.pk not in _graphs:
        _graphs[version.pk] = compile_graph(version.graph)
    return _graphs[version.pk]


@dataclass(frozen=True, slots=True)
class LookBack:
    """How far back the graphs of a table ask, in seconds and in sampling intervals: main events, and sightings."""

    window_s: float = 0.0
    intervals: float = 0.0
    sightings_s: float = 0.0
    pictures: float = 0.0

    def mains(self, interval_s: float) -> timedelta:
        """The longest merge window."""
        return timedelta(seconds=max(self.window_s, self.intervals * interval_s))

    def sightings(self, interval_s: float) -> timedelta:
        """The longest time in which something must have been seen."""
        return timedelta(seconds=self.sightings_s + self.pictures * max(interval_s, 1.0))


def look_back(versions: Mapping[UUID, StrategyVersion]) -> LookBack:
    """The widest windows any of these graphs asks for, so that one read serves a batch."""
    nodes = [node.parameters for version in versions.values() for node in compiled(version).nodes.values()]

    def widest(name: str) -> float:
        return max((float(parameters.get(name, 0)) for parameters in nodes), default=0.0)

    return LookBack(widest("window_s"), widest("intervals"), widest("seconds"), widest("of"))


def raw_input(raw: RawEvent) -> RawInput:
    """The raw event with its scene rule's regions; needs `event_type` loaded."""
    return RawInput(
        id=raw.pk,
        camera=raw.camera_id,
        preset=raw.preset,
        code=raw.event_type.code if raw.event_type else "",
        time=raw.time,
        targets=targets_of(raw.targets),
        score=raw.score,
        regions=_regions(raw.rule_id),
        interval_s=float(raw.context.get("interval") or 0),
    )


def targets_of(found: Iterable[dict[str, Any]]) -> tuple[Target, ...]:
    """Detection dicts as a graph sees them."""
    return tuple(_target(target) for target in found)


def _target(target: dict[str, Any]) -> Target:
    x, y, width, height = (float(value) for value in target["box"])
    return Target(
        str(target.get("label", "")),
        float(target.get("score") or 0),
        (x, y, width, height),
        target.get("track"),
        target.get("attributes") or {},
    )


def _regions(rule_id: UUID | None) -> list[list[Point]]:
    """Outer rings of the rule's polygons; rules never change, so they are read once."""
    if rule_id is None:
        return []
    if rule_id not in _rings:
        if len(_rings) >= KEPT:
            _rings.clear()
        regions = SceneRule.objects.filter(pk=rule_id).values_list("regions", flat=True).first() or []
        _rings[rule_id] = [
            [(float(x), float(y)) for x, y in region["coordinates"][0]]
            for region in regions
            if region.get("type") == "Polygon" and region.get("coordinates")
        ]
    return _rings[rule_id]
