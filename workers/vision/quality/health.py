"""The health of a camera's picture over time: what is wrong with it, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from workers.vision.frames import Frame
from workers.vision.quality.frozen import OSD_STRIPS, Box, FrozenDetector
from workers.vision.quality.measures import (
    Thumb,
    cast_vector,
    fill_share,
    flat_share,
    levels,
    sharpness,
    texture_cells,
    thumb,
)


class HealthState(StrEnum):
    """Findings; several may hold at once."""

    SIGNAL_LOST = "signal_lost"
    BLACK = "black"
    BRIGHT = "bright"
    BLURRED = "blurred"
    OCCLUDED = "occluded"
    FROZEN = "frozen"
    COLOUR_CAST = "colour_cast"


@dataclass(frozen=True, slots=True)
class HealthConfig:
    """confirm: seconds a finding must last, over at least two frames. frozen: seconds without change.

    learn: healthy frames before blur, occlusion and cast are judged against what the camera usually shows.
    """

    confirm: float = 3.0
    frozen: float = 30.0
    learn: int = 5
    osd_masks: Sequence[Box] = OSD_STRIPS


@dataclass(slots=True)
class _Baseline:
    """Slow averages of healthy frames."""

    frames: int = 0
    sharpness: float = 0.0
    cast: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros(2, np.float32))
    cells: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((6, 8), np.float32))
    scene: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((9, 16), np.float32))

    def learn(self, measures: _Measures) -> None:
        share = max(0.02, 1 / (self.frames + 1))
        self.sharpness += share * (measures.sharpness - self.sharpness)
        self.cast = self.cast + share * (measures.cast - self.cast)
        self.cells = self.cells + share * (measures.cells - self.cells)
        self.scene = self.scene + share * (measures.scene - self.scene)
        self.frames += 1


@dataclass(frozen=True, slots=True, eq=False)
class _Measures:
    low: int
    high: int
    deviation: float
    sharpness: float
    flat: float
    fill: float
    cast: npt.NDArray[np.float32]
    spread: float
    cells: npt.NDArray[np.float32]
    scene: npt.NDArray[np.float32]

    @classmethod
    def of(cls, small: Thumb) -> _Measures:
        low, high, deviation = levels(small.grey)
        a, b, spread = cast_vector(np.ascontiguousarray(small.colour[::3, ::3]))
        scene = cv2.resize(small.grey, (16, 9), interpolation=cv2.INTER_AREA).astype(np.float32)
        return cls(
            low=low,
            high=high,
            deviation=deviation,
            sharpness=sharpness(small.grey),
            flat=flat_share(small.grey),
            fill=fill_share(small),
            cast=np.array([a, b], np.float32),
            spread=spread,
            cells=texture_cells(small.grey),
            scene=scene,
        )


class HealthDetector:
    """Feed frames in order; update() answers the findings that hold now. One per (camera, preset)."""

    def __init__(self, config: HealthConfig | None = None) -> None:
        self._config = config or HealthConfig()
        self._size: tuple[int, int] = (0, 0)
        self.since: dict[HealthState, datetime] = {}
        """When each present finding was first seen, confirmed or not."""
        self._reset()

    def _reset(self) -> None:
        self._frozen = FrozenDetector(seconds=self._config.frozen, masks=self._config.osd_masks)
        self._baseline = _Baseline()
        self._counts: dict[HealthState, int] = {}
        self.since.clear()

    def update(self, frame: Frame) -> frozenset[HealthState]:
        """Judge the next frame; a change of picture size starts afresh. Corrupt frames change nothing."""
        if frame.corrupt:
            return self._confirmed(frame.time)
        if (frame.width, frame.height) != self._size:
            self._size = (frame.width, frame.height)
            self._reset()
        small = thumb(frame.image)
        measures = _Measures.of(small)
        found = self._findings(measures)
        if self._frozen.update(small.grey, frame.time, keyframe=frame.keyframe):
            found.add(HealthState.FROZEN)
        for state in HealthState:
            if state in found:
                self.since.setdefault(state, frame.time)
                self._counts[state] = self._counts.get(state, 0) + 1
            else:
                self.since.pop(state, None)
                self._counts.pop(state, None)
        if not found:
            self._baseline.learn(measures)
        return self._confirmed(frame.time)

    def _confirmed(self, moment: datetime) -> frozenset[HealthState]:
        return frozenset(
            state
            for state, since in self.since.items()
            if state is HealthState.FROZEN
            or (self._counts[state] >= 2 and (moment - since).total_seconds() >= self._config.confirm)
        )

    def _findings(self, now: _Measures) -> set[HealthState]:
        if now.high < 20:
            return {HealthState.BLACK}
        if now.low > 235:
            return {HealthState.BRIGHT}
        if now.fill > 0.5 or now.flat > 0.9 or now.deviation < 1.0:
            return {HealthState.SIGNAL_LOST}
        found: set[HealthState] = set()
        if self._is_occluded(now):
            found.add(HealthState.OCCLUDED)
        elif self._is_blurred(now):
            found.add(HealthState.BLURRED)
        if self._has_cast(now):
            found.add(HealthState.COLOUR_CAST)
        return found

    @property
    def _learned(self) -> bool:
        return self._baseline.frames >= self._config.learn

    def _is_occluded(self, now: _Measures) -> bool:
        """Most cells that had texture lost it, and what is left no longer resembles the scene."""
        if not self._learned:
            return False
        before = self._baseline.cells
        textured = before > 1.5
        if textured.sum() < 6:
            return False
        lost = float(np.mean(now.cells[textured] < 0.35 * before[textured]))
        return lost >= 0.5 and self._likeness(now) < 0.6

    def _is_blurred(self, now: _Measures) -> bool:
        limit = max(0.03, 0.15 * self._baseline.sharpness) if self._learned else 0.03
        return now.sharpness < limit

    def _has_cast(self, now: _Measures) -> bool:
        usual = self._baseline.cast if self._learned else np.zeros(2, np.float32)
        strength = float(np.hypot(*(now.cast - usual)))
        total = float(np.hypot(*now.cast))
        # A cast shifts everything alike: the mean is far from neutral, the colours stay close to the mean.
        return strength > (20.0 if self._learned else 30.0) and total > 1.5 * max(now.spread, 1.0)

    def _likeness(self, now: _Measures) -> float:
        """Correlation of the coarse picture with the usual one, -1..1."""
        one, other = now.scene - now.scene.mean(), self._baseline.scene - self._baseline.scene.mean()
        size = float(np.linalg.norm(one) * np.linalg.norm(other))
        return float((one * other).sum() / size) if size > 1e-3 else 0.0
