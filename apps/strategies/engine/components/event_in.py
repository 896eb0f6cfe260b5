"""event-in@1: where raw events enter a graph."""

from __future__ import annotations

from apps.strategies.engine.base import Carried, Component, Parameters, Passed, Stopped, Words
from apps.strategies.engine.values import Context


def judge(carried: Carried, parameters: Parameters, context: Context) -> Passed | Stopped:
    """Lets the event types through that the node names; without a list all of them, with an empty list none."""
    codes = parameters.get("codes")
    if codes is not None and carried.raw.code not in codes:
        return Stopped("other_event_type", {"code": carried.raw.code})
    return Passed(carried, {"code": carried.raw.code, "targets": len(carried.raw.targets)})


COMPONENT = Component(
    name="event-in@1",
    title=Words("事件输入", "Event input"),
    judge=judge,
    parameters={
        "codes": {
            "type": "array",
            "items": {"type": "string"},
            "title": "Event types",
            "x-title": {"zh": "事件类型", "en": "Event types"},
            "description": "Without a list every event type enters; an empty list lets none in.",
        }
    },
    reasons={"other_event_type": Words("不是该入口的事件类型", "Not an event type of this input")},
    inputs=(),
)
