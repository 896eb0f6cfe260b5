"""dedup@1: a repeat of something that still stands joins its main event."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from apps.strategies.engine.base import Carried, Component, Parameters, Passed, Stopped, Words
from apps.strategies.engine.components.place import is_same_place, place_parameters
from apps.strategies.engine.values import Context


def judge(carried: Carried, parameters: Parameters, context: Context) -> Passed | Stopped:
    """Joins the latest main event seen within the window at the same place; both by the clock of the frames."""
    raw = carried.raw
    window_s = max(float(parameters["window_s"]), float(parameters["intervals"]) * raw.interval_s)
    window = timedelta(seconds=window_s)
    for main in reversed(context.open_main(raw)):
        in_time = main.first_seen - window <= raw.time <= main.last_seen + window
        if in_time and is_same_place(raw, main.boxes, parameters):
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
        **place_parameters("standing"),
    },
    reasons={},
    is_stateful=True,
)
