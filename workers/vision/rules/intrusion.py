"""intrusion: one hit per target that stands in a region, judged by the middle of its lower edge.

Without a region there is nothing to intrude into: the frame is not analysed, for the reason `no_region`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workers.vision.detections import Detection
from workers.vision.geometry import bottom_centre, inside_any
from workers.vision.outcomes import NotAnalysed, Reason
from workers.vision.rules.base import RuleContext, rules


class Intrusion:
    schema: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    stateful = False

    def evaluate(self, detections: Sequence[Detection], context: RuleContext) -> list[list[Detection]]:
        regions = context.shapes.regions
        if not regions:
            raise NotAnalysed(Reason.NO_REGION, "intrusion needs a region: draw one on the scene")
        return [[target] for target in detections if inside_any(regions, bottom_centre(target.box))]


rules.register("intrusion")(Intrusion())
