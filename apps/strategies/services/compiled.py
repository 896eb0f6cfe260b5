"""Graphs compiled once per process, and raw events as graphs see them."""

from __future__ import annotations

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


def raw_input(raw: RawEvent) -> RawInput:
    """The raw event with its scene rule's regions; needs `event_type` loaded."""
    return RawInput(
        id=raw.pk,
        camera=raw.camera_id,
        preset=raw.preset,
        code=raw.event_type.code if raw.event_type else "",
        time=raw.time,
        targets=tuple(_target(target) for target in raw.targets),
        score=raw.score,
        regions=_regions(raw.rule_id),
        interval_s=float(raw.context.get("interval") or 0),
    )


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
