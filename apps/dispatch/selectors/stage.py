"""One stage on the road of one frame, and the frame itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.core.trace import trace_of


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one camera, and the rows that speak of it. `time` is None for a picture that was never taken."""

    camera: Any
    preset: int
    time: datetime | None
    slot: Any = None
    raw_events: tuple[Any, ...] = ()
    events: tuple[Any, ...] = ()
    attached: tuple[UUID, ...] = ()

    @property
    def trace(self) -> str:
        """The trace id (32 hexadecimal digits); that of the slot where no picture was taken."""
        if self.time is None:
            return str(self.slot.pk.hex) if self.slot is not None else ""
        return trace_of(self.camera.pk, self.preset, self.time)


@dataclass(frozen=True, slots=True)
class Stage:
    """What happened from `began` to `ended` (None: not yet, or not known). state: ok, waiting, failed.

    `gap`: seconds since the stage before ended; none where it began inside that stage.
    `facts` are (word, value) pairs, `error` is the last one.
    """

    key: str
    name: str
    began: datetime | None = None
    ended: datetime | None = None
    state: str = "ok"
    error: str = ""
    subject: str = ""
    url: str = ""
    object_id: str = ""
    facts: tuple[tuple[str, str], ...] = field(default=())
    gap: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        if self.began is None or self.ended is None:
            return None
        return (self.ended - self.began).total_seconds()

    @property
    def tone(self) -> str:
        """Colour of the stage."""
        return {"ok": "green", "waiting": "amber", "failed": "red"}[self.state]


def with_gaps(stages: list[Stage]) -> list[Stage]:
    """The stages with the time between the end of what came before, and their own begin."""
    found, last = [], None
    for stage in stages:
        begins = stage.began or stage.ended
        gap = (begins - last).total_seconds() if begins and last and begins >= last else None
        found.append(replace(stage, gap=gap))
        last = max(filter(None, (last, stage.ended or stage.began)), default=last)
    return found
