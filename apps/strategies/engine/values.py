"""What goes through a graph and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

Box = tuple[float, float, float, float]
"""x, y, width, height in 0..1 of the full frame, origin top left."""
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that was found."""

    label: str
    score: float
    box: Box
    track: int | str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bottom_centre(self) -> Point:
        """Where a thing touches the ground."""
        x, y, width, height = self.box
        return x + width / 2, y + height


@dataclass(frozen=True, slots=True)
class RawInput:
    """A raw event as the graph sees it. `time` is the frame's moment: the only clock there is.

    `code` is the event type's, `regions` are the outer rings of the scene rule's polygons (0..1 of the frame),
    `interval_s` is the time between two looks at this place.
    """

    id: UUID
    camera: UUID
    preset: int
    code: str
    time: datetime
    targets: Sequence[Target]
    score: float
    regions: Sequence[Sequence[Point]] = ()
    interval_s: float = 0.0


@dataclass(frozen=True, slots=True)
class OpenMain:
    """A main event a repeat may join: when it was seen first and last, and where its things were last."""

    id: UUID
    first_seen: datetime
    last_seen: datetime
    boxes: Sequence[Box] = ()


@dataclass(frozen=True, slots=True)
class Sighting:
    """A picture in which something of this kind was reported."""

    time: datetime
    targets: Sequence[Target]


class Context(Protocol):
    """State outside the nodes."""

    def open_main(self, raw: RawInput) -> Sequence[OpenMain]:
        """Main events of the same camera, preset and code, the latest seen last."""

    def sightings(self, raw: RawInput, since: datetime) -> Sequence[Sighting]:
        """What was reported of the same camera, preset and code from `since` to `raw`'s moment, oldest first.

        Raw events as they came from the analysis, before any node left something out; `raw` itself among them.
        """


@dataclass(frozen=True, slots=True)
class Raise:
    """A new event; what comes within `window_s` of its last sight may join it."""

    window_s: float


@dataclass(frozen=True, slots=True)
class MergeInto:
    """A repeat of this main event."""

    event_id: UUID


@dataclass(frozen=True, slots=True)
class Stop:
    """No event, and which component says why."""

    component: str
    reason: str


Verdict = Raise | MergeInto | Stop


@dataclass(frozen=True, slots=True)
class Step:
    """What one node did: verdict is passed, stopped, merged or raised; `us` is its time in microseconds."""

    node: str
    component: str
    verdict: str
    reason: str
    detail: Mapping[str, Any]
    us: int

    def as_dict(self) -> dict[str, Any]:
        """The step as it is stored in a trace."""
        return {
            "node": self.node,
            "component": self.component,
            "verdict": self.verdict,
            "reason": self.reason,
            "detail": dict(self.detail),
            "us": self.us,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict of a run and the path to it."""

    verdict: Verdict
    steps: tuple[Step, ...]
