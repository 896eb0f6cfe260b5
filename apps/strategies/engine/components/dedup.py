"""dedup@1: a repeat of something that still stands joins its main event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from apps.strategies.engine.base import Carried, Component, Parameters, Passed, Stopped, Words
from apps.strategies.engine.values import Box, Context, RawInput

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


def is_same_place(raw: RawInput, others: Sequence[Box], place: str, least: float) -> bool:
    """Whether the raw event lies where these boxes were.

    `picture`: the whole picture is one place. `box`: the boxes overlap. `standing`: boxes for what stands still,
    the whole picture for what moves.
    """
    boxes = [
        target.box
        for target in raw.targets
        if place == "box" or (place == "standing" and STANDING in target.attributes)
    ]
    if place == "picture" or not boxes or not others:
        return True
    return max(overlap(one, other) for one in boxes for other in others) >= least


def judge(carried: Carried, parameters: Parameters, context: Context) -> Passed | Stopped:
    """Joins the latest main event seen within the window at the same place; both by the clock of the frames."""
    raw = carried.raw
    window_s = max(float(parameters["window_s"]), float(parameters["intervals"]) * raw.interval_s)
    window = timedelta(seconds=window_s)
    for main in reversed(context.open_main(raw)):
        in_time = main.first_seen - window <= raw.time <= main.last_seen + window
        if in_time and is_same_place(raw, main.boxes, str(parameters["place"]), float(parameters["iou"])):
            detail = {"event": str(main.id), "gap_s": (raw.time - main.last_seen).total_seconds()}
            return Passed(replace(carried, window_s=window_s, merge_into=main.id), detail)
    return Passed(replace(carried, window_s=window_s), {"window_s": window_s})


COMPONENT = Component(
    name="dedup@1",
    title=Words("去重合并", "Merge repeats"),
    judge=judge,
    parameters={
        "window_s": {
            "type": "number",
            "minimum": 0,
            "maximum": 604800,
            "default": 60,
            "title": "Merge window",
            "x-title": {"zh": "合并时间窗", "en": "Merge window"},
            "x-unit": {"zh": "秒", "en": "s"},
        },
        "intervals": {
            "type": "number",
            "minimum": 0,
            "maximum": 100,
            "default": 0,
            "title": "At least this many sampling intervals",
            "x-title": {"zh": "至少若干个采样间隔", "en": "At least this many sampling intervals"},
        },
        "place": {
            "type": "string",
            "enum": ["picture", "box", "standing"],
            "default": "standing",
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
    },
    reasons={},
    is_stateful=True,
)
