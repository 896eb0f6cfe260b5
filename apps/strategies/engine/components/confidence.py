"""confidence@1: drops targets the model was not sure of."""

from __future__ import annotations

from dataclasses import replace

from apps.strategies.engine.base import Carried, Component, Parameters, Passed, Stopped, Words
from apps.strategies.engine.values import Context


def judge(carried: Carried, parameters: Parameters, context: Context) -> Passed | Stopped:
    """Keeps targets with a score of at least `min`; stops where none is left. Without targets the hit's own counts."""
    least = float(parameters["min"])
    raw = carried.raw
    if not raw.targets:
        detail = {"score": raw.score, "min": least}
        return Passed(carried, detail) if raw.score >= least else Stopped("low_confidence", detail)
    kept = tuple(target for target in raw.targets if target.score >= least)
    best = max(target.score for target in raw.targets)
    detail = {"score": best, "min": least, "kept": len(kept), "of": len(raw.targets)}
    if not kept:
        return Stopped("low_confidence", detail)
    return Passed(replace(carried, raw=replace(raw, targets=kept)), detail)


COMPONENT = Component(
    name="confidence@1",
    title=Words("置信度", "Confidence"),
    judge=judge,
    parameters={
        "min": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "default": 0.3,
            "title": "Minimum confidence",
            "x-title": {"zh": "最低置信度", "en": "Minimum confidence"},
        }
    },
    reasons={"low_confidence": Words("置信度过低", "Confidence too low")},
)
