"""What a built-in analyser is given and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from workers.vision.detections import Detection
from workers.vision.frames import Image
from workers.vision.registry import Registry
from workers.vision.rules.base import SceneShapes


@dataclass(frozen=True)
class AnalyserSettings:
    """parameters: of the scene rule (sensitivity 0..1, dwell in seconds …); shapes: drawn on the scene."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    shapes: SceneShapes = field(default_factory=SceneShapes)

    def number(self, name: str, default: float) -> float:
        value = self.parameters.get(name)
        return default if value is None else float(value)


class Analyser(Protocol):
    """One instance per execution; `step` is called with rising times, by one thread at a time."""

    @property
    def memory_bytes(self) -> int: ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels its detections can have."""
        ...

    def step(self, image: Image, time: datetime) -> list[Detection]:
        """What is there in this picture; raises `NotAnalysed` while it cannot tell (learning, scene change)."""
        ...


AnalyserFactory = Callable[[AnalyserSettings], Analyser]
analysers: Registry[AnalyserFactory] = Registry("analyser")
