"""What is the same place, for the components that ask whether something was here before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.strategies.engine.base import Parameters
from apps.strategies.engine.values import Box, RawInput

STANDING = "standing_s"
"""Attribute of a target that does not move: for how many seconds it has stood."""


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right = min(one[0] + one[2], other[0] + other[2])
    bottom = min(one[1] + one[3], other[1] + other[3])
    shared = max(0.0, right - left) * max(0.0, bottom - top)
    union = one[2] * one[3] + other[2] * other[3] - shared
    return shared / union if union > 0 else 0.0


def is_same_place(raw: RawInput, others: Sequence[Box], parameters: Parameters) -> bool:
    """Whether the raw event lies where these boxes were, by the parameters `place` and `iou`.

    `picture`: the whole picture is one place. `box`: the boxes overlap. `standing`: boxes for what stands still,
    the whole picture for what moves.
    """
    place = parameters["place"]
    boxes = [
        target.box
        for target in raw.targets
        if place == "box" or (place == "standing" and STANDING in target.attributes)
    ]
    if place == "picture" or not boxes or not others:
        return True
    return max(overlap(one, other) for one in boxes for other in others) >= float(parameters["iou"])


def place_parameters(usual: str) -> dict[str, dict[str, Any]]:
    """JSON Schema of the two parameters that `is_same_place` is asked with; `usual` is the default of the first."""
    return {
        "place": {
            "type": "string",
            "enum": ["picture", "box", "standing"],
            "default": usual,
            "title": "What is the same place",
            "x-title": {"zh": "同一位置的判定", "en": "What is the same place"},
        },
        "iou": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "default": 0.1,
            "title": "Overlap of the boxes",
            "x-title": {"zh": "框重叠度", "en": "Overlap of the boxes"},
        },
    }
