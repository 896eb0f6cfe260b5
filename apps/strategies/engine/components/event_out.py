"""event-out@1: what arrives here becomes an event, or joins its main event."""

from __future__ import annotations

from apps.strategies.engine.base import Carried, Component, Parameters, Passed, Stopped, Words
from apps.strategies.engine.values import Context


def judge(carried: Carried, parameters: Parameters, context: Context) -> Passed | Stopped:
    """Passes everything; the run ends here."""
    return Passed(carried)


COMPONENT = Component(
    name="event-out@1",
    title=Words("事件输出", "Event output"),
    judge=judge,
    outputs=(),
)
