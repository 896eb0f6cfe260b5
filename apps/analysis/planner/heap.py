"""The planner's memory: one heap entry per camera and preset, not per unit."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from apps.analysis.planner.grid import is_due, next_index, phase_of, slot_time
from apps.analysis.selectors.demand import Demand
from apps.analysis.services.slots import PlannedSlot
from apps.core.ids import key_id

SHORTEST_DEADLINE = 15.0
Place = tuple[UUID, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A snapshot execution as the planner sees it."""

    execution: UUID
    camera: UUID
    preset: int
    interval: float
    demands: tuple[Demand, ...]


@dataclass(slots=True)
class _Camera:
    phase: float
    base: float
    executions: list[Wanted] = field(default_factory=list)


class Agenda:
    """Which camera is due next. `pop(until)` gives the slots up to a moment and moves each camera on."""

    def __init__(self, wanted: Iterable[Wanted], start: datetime) -> None:
        self._cameras: dict[Place, _Camera] = {}
        self._heap: list[tuple[float, UUID, int, int]] = []
        self._asked: dict[tuple[int, int], bool] = {}
        grouped: dict[Place, list[Wanted]] = defaultdict(list)
        for item in wanted:
            grouped[(item.camera, item.preset)].append(item)
        for place, items in grouped.items():
            base = round(min(item.interval for item in items), 3)
            phase = phase_of(*place, base)
            self._cameras[place] = _Camera(phase, base, items)
            index = next_index(phase, base, start.timestamp())
            self._heap.append((slot_time(phase, base, index), *place, index))
        heapq.heapify(self._heap)

    def __len__(self) -> int:
        return sum(len(camera.executions) for camera in self._cameras.values())

    def pop(self, until: datetime) -> list[PlannedSlot]:
        """Slots with at least one wanted execution, planned before `until`."""
        limit, slots = until.timestamp(), []
        self._asked.clear()
        while self._heap and self._heap[0][0] < limit:
            seconds, camera, preset, index = self._heap[0]
            entry = self._cameras[(camera, preset)]
            following = (slot_time(entry.phase, entry.base, index + 1), camera, preset, index + 1)
            heapq.heapreplace(self._heap, following)
            slot = self._slot(entry, camera, preset, index, seconds)
            if slot is not None:
                slots.append(slot)
        return slots

    def _slot(
        self, entry: _Camera, camera: UUID, preset: int, index: int, seconds: float
    ) -> PlannedSlot | None:
        at = datetime.fromtimestamp(seconds, tz=UTC)
        due = tuple(
            item.execution
            for item in entry.executions
            if is_due(entry.phase, entry.base, index, item.interval)
            and any(self._wants(demand, at, seconds) for demand in item.demands)
        )
        if not due:
            return None
        deadline = at + timedelta(seconds=max(entry.base, SHORTEST_DEADLINE))
        return PlannedSlot(slot_id(camera, preset, at), camera, preset, at, deadline, due)

    def _wants(self, demand: Demand, at: datetime, seconds: float) -> bool:
        """Plans are to the minute, and thousands of executions follow the same few."""
        if demand.valid_to is not None and at >= demand.valid_to:
            return False
        key = id(demand.times), int(seconds // 60)
        if key not in self._asked:
            self._asked[key] = demand.times.is_active(at)
        return self._asked[key]


def slot_id(camera: UUID, preset: int, at: datetime) -> UUID:
    """Made from (camera, preset, planned time): planning twice is one row."""
    return key_id(at, camera, preset, at.isoformat(timespec="milliseconds"))
