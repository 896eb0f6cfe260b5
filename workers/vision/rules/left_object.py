"""left_object: one hit per thing that has stood still for `dwell` seconds, for as long as it stands.

An analyser that measures standing itself says so in the attribute `standing_s`. Boxes of a model are followed
here: the same label with an overlap ≥ `same_iou` is the same standing thing; its first box is reported, so
that the box is stable. A thing that was not seen for `patience` seconds has gone.
With `once` each standing thing is reported a single time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from workers.vision.detections import Detection, iou
from workers.vision.rules.base import RuleContext, in_regions, rules

MAX_STANDING = 200


@dataclass
class _Standing:
    track: int
    target: Detection
    since: datetime
    seen: datetime
    reported: bool = False


class LeftObject:
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "dwell": {"type": "number", "minimum": 0, "maximum": 86400, "default": 30},
            "same_iou": {"type": "number", "minimum": 0.1, "maximum": 1, "default": 0.6},
            "patience": {"type": "number", "minimum": 0, "maximum": 86400, "default": 60},
            "once": {"type": "boolean", "default": False},
        },
        "additionalProperties": False,
    }
    stateful = True

    def evaluate(self, detections: Sequence[Detection], context: RuleContext) -> list[list[Detection]]:
        dwell = context.number("dwell", 30)
        hits = []
        for thing in self._follow(in_regions(detections, context), context):
            standing = float(
                thing.target.attributes.get("standing_s", (thing.seen - thing.since).total_seconds())
            )
            if standing < dwell or thing.seen != context.time:
                continue
            if not (context.options.get("once") and thing.reported):
                attributes = {**thing.target.attributes, "standing_s": round(standing, 3)}
                hits.append([replace(thing.target, track=thing.track, attributes=attributes)])
            thing.reported = True
        return hits

    def _follow(self, detections: Sequence[Detection], context: RuleContext) -> list[_Standing]:
        things: list[_Standing] = context.memory.setdefault("things", [])
        same, patience = context.number("same_iou", 0.6), context.number("patience", 60)
        things[:] = [thing for thing in things if (context.time - thing.seen).total_seconds() <= patience]
        for detection in detections:
            known = [
                thing for thing in things if thing.seen != context.time and _same(thing, detection, same)
            ]
            if known:
                best = max(known, key=lambda thing: iou(thing.target.box, detection.box))
                best.seen = context.time
                best.target = replace(detection, box=best.target.box)
            elif len(things) < MAX_STANDING:
                number = context.memory["last"] = context.memory.get("last", 0) + 1
                track = detection.track if detection.track is not None else number
                things.append(_Standing(track, detection, context.time, context.time))
        return things


def _same(thing: _Standing, detection: Detection, overlap: float) -> bool:
    if detection.track is not None and thing.track == detection.track:
        return True
    return thing.target.label == detection.label and iou(thing.target.box, detection.box) >= overlap


rules.register("left_object")(LeftObject())
