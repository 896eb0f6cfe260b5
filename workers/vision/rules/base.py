"""What a rule is given, and the filters that every rule shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from workers.vision.detections import Detection
from workers.vision.geometry import Line, Point, Polygon, centre, inside_any
from workers.vision.registry import Registry

DEFAULT_CONFIDENCE = 0.35

RULE_PARAMETERS: dict[str, dict[str, Any]] = {
    "confidence": {"type": "number", "minimum": 0.01, "maximum": 1, "default": DEFAULT_CONFIDENCE},
    "min_size": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.0},
    "sensitivity": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5},
    "dwell": {"type": "number", "minimum": 0, "maximum": 86400, "default": 30},
    "look_every": {"type": "integer", "minimum": 0, "maximum": 100, "default": 0},
}
"""JSON Schema of the parameters a scene rule may set for any algorithm; `min_size` is the shorter side of a
box as a share of the frame, `dwell` is in seconds. `look_every` N > 0: while the scene stays still only one capture
in N is looked at (unchanged.py); 0 looks at each."""


@dataclass(frozen=True, slots=True)
class SceneShapes:
    """What was drawn on the scene. No region drawn means the whole frame, for rules that do not need one."""

    regions: tuple[Polygon, ...] = ()
    lines: tuple[Line, ...] = ()
    masks: tuple[Polygon, ...] = ()

    def in_regions(self, point: Point) -> bool:
        return not self.regions or inside_any(self.regions, point)

    def masked(self, point: Point) -> bool:
        return inside_any(self.masks, point)


@dataclass(frozen=True, slots=True)
class RuleContext:
    """shapes: of the scene. options: the item's `rule` of the manifest. parameters: of the scene rule.

    time: moment of the frame, UTC. memory: the rule's own notes for this execution and item, kept between
    frames; only rules that say `stateful` may use it.
    """

    shapes: SceneShapes
    options: Mapping[str, Any]
    parameters: Mapping[str, Any]
    time: datetime
    memory: dict[str, Any] = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        """A scene rule's parameter, else the manifest's, else the default."""
        value = self.parameters.get(name, self.options.get(name))
        return default if value is None else float(value)


class Rule(Protocol):
    """Stateless object; `schema` is the JSON Schema of the manifest's `rule` mapping (without `kind`)."""

    schema: Mapping[str, Any]
    stateful: bool

    def evaluate(self, detections: Sequence[Detection], context: RuleContext) -> list[list[Detection]]:
        """One list of targets per hit; nothing is an empty list. May raise `NotAnalysed`."""
        ...


rules: Registry[Rule] = Registry("rule")


def candidates(
    detections: Sequence[Detection], labels: Sequence[str], context: RuleContext
) -> list[Detection]:
    """Those the item is about: its labels ([] = none, as the manifest says), confidence, size, masks."""
    wanted = set(labels)
    confidence = context.number("confidence", DEFAULT_CONFIDENCE)
    size = context.number("min_size", 0.0)
    return [
        detection
        for detection in detections
        if detection.label in wanted
        and detection.score >= confidence
        and min(detection.box[2:]) >= size
        and not context.shapes.masked(centre(detection.box))
    ]


def in_regions(detections: Sequence[Detection], context: RuleContext) -> list[Detection]:
    """Those whose centre lies in a region."""
    return [each for each in detections if context.shapes.in_regions(centre(each.box))]
