"""min-size@1: drops targets too small to be judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apps.strategies.engine.base import Carried, Component, Parameters, Passed, Stopped, Words
from apps.strategies.engine.values import Box, Context


def _fits(box: Box, parameters: Parameters) -> bool:
    _x, _y, width, height = box
    return (
        width >= float(parameters["width"])
        and height >= float(parameters["height"])
        and width * height >= float(parameters["area"])
    )


def judge(carried: Carried, parameters: Parameters, context: Context) -> Passed | Stopped:
    """Keeps targets whose box is wide, high and large enough; a hit without targets passes."""
    raw = carried.raw
    if not raw.targets:
        return Passed(carried)
    kept = tuple(target for target in raw.targets if _fits(target.box, parameters))
    largest = max(raw.targets, key=lambda target: target.box[2] * target.box[3]).box
    detail = {"width": largest[2], "height": largest[3], "kept": len(kept), "of": len(raw.targets)}
    if not kept:
        return Stopped("too_small", detail)
    return Passed(replace(carried, raw=replace(raw, targets=kept)), detail)


def _share(default: float, zh: str, en: str) -> dict[str, Any]:
    return {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "default": default,
        "title": en,
        "x-title": {"zh": zh, "en": en},
        "x-unit": {"zh": "画面比例", "en": "share of the frame"},
    }


COMPONENT = Component(
    name="min-size@1",
    title=Words("最小尺寸", "Minimum size"),
    judge=judge,
    parameters={
        "width": _share(0.0, "最小宽度", "Minimum width"),
        "height": _share(0.0, "最小高度", "Minimum height"),
        "area": _share(0.0, "最小面积", "Minimum area"),
    },
    reasons={"too_small": Words("目标过小", "Target too small")},
)
