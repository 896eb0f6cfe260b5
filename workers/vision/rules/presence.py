"""presence: one hit with all targets, once there are `min_targets` of them in the regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workers.vision.detections import Detection
from workers.vision.rules.base import RuleContext, in_regions, rules


class Presence:
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {"min_targets": {"type": "integer", "minimum": 1, "default": 1}},
        "additionalProperties": False,
    }
    stateful = False

    def evaluate(self, detections: Sequence[Detection], context: RuleContext) -> list[list[Detection]]:
        found = in_regions(detections, context)
        return [found] if len(found) >= max(int(context.number("min_targets", 1)), 1) else []


rules.register("presence")(Presence())
