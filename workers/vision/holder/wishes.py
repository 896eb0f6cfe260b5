"""What the rows of a node ask of its holder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from workers.vision.sources import SourceOptions


@dataclass(frozen=True, slots=True)
class Demand:
    """Somebody wants frames of a stream.

    kind: keyframes (the next good keyframe each interval), snapshot (the same, for previews), fps (any frame,
    each interval; needs a full decode). interval_s: seconds between frames, > 0. key: the asker's own mark.
    """

    kind: Literal["keyframes", "fps", "snapshot"]
    interval_s: float
    key: str = ""

    def __post_init__(self) -> None:
        if not self.interval_s > 0:
            raise ValueError("interval_s must be greater than 0")


@dataclass(frozen=True, slots=True)
class StreamWish:
    """A stream that should be held. live: viewers may attach. enabled=False: known but not connected."""

    url: str = field(repr=False)
    demands: tuple[Demand, ...] = ()
    live: bool = False
    enabled: bool = True
    options: SourceOptions = field(default_factory=SourceOptions)
