"""each: one hit per target in the regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workers.vision.detections import Detection
from workers.vision.rules.base import RuleContext, in_regions, rules


class Each:
    schema: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    stateful = False

    def evaluate(self, detections: Sequence[Detection], context: RuleContext) -> list[list[Detection]]:
        return [[target] for target in in_regions(detections, context)]


rules.register("each")(Each())
