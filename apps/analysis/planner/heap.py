"""The planner's memory: one heap entry per camera and preset, not per unit."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
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


class _Line(NamedTuple):
    """Executions of one camera that are due and wanted at the same moments."""

    interval: float
    demands: tuple[Demand, ...]
    executions: tuple[UUID, ...]


@dataclass(slots=True)
class _Camera:
    id: UUID
    preset: int
    phase: float
    base: float
    window: timedelta
    lines: list[_Line]


class Agenda:
    """Which camera is due next. `pop(until)` gives the slots up to a moment and moves each camera on."""

    def __init__(self, wanted: Iterable[Wanted], start: datetime) -> None:
        self._cameras: list[_Camera] = []
        self._heap: list[tuple[float, UUID, int, int, int]] = []
        self._asked: dict[tuple[int, int], bool] = {}
        self._executions = 0
        grouped: dict[Place, list[Wanted]] = defaultdict(list)
        for item in wanted:
            grouped[(item.camera, item.preset)].append(item)
        begin = start.timestamp()
        for number, ((camera, preset), items) in enumerate(grouped.items()):
            base = round(min(item.interval for item in items), 3)
            phase = phase_of(camera, preset, base)
            window = timedelta(seconds=max(base, SHORTEST_DEADLINE))
            self._cameras.append(_Camera(camera, preset, phase, base, window, _lines(items)))
            self._executions += len(items)
            index = next_index(phase, base, begin)
            self._heap.append((slot_time(phase, base, index), camera, preset, index, number))
        heapq.heapify(self._heap)

    def __len__(self) -> int:
        return self._executions

    def pop(self, until: datetime) -> list[PlannedSlot]:
        """Slots with at least one wanted execution, planned before `until`."""
        limit, slots, heap = until.timestamp(), [], self._heap
        self._asked.clear()
        while heap and heap[0][0] < limit:
            seconds, camera, preset, index, number = heap[0]
            entry = self._cameras[number]
            following = slot_time(entry.phase, entry.base, index + 1)
            heapq.heapreplace(heap, (following, camera, preset, index + 1, number))
            slot = self._slot(entry, index, seconds)
            if slot is not None:
                slots.append(slot)
        return slots

    def _slot(self, entry: _Camera, index: int, seconds: float) -> PlannedSlot | None:
        due: tuple[UUID, ...] = ()
        for line in entry.lines:
            if is_due(entry.phase, entry.base, index, line.interval) and self._is_wanted(line, seconds):
                due = due + line.executions if due else line.executions
        if not due:
            return None
        at = datetime.fromtimestamp(seconds, tz=UTC)
        identifier = slot_id(entry.id, entry.preset, at)
        return PlannedSlot(identifier, entry.id, entry.preset, at, at + entry.window, due)

    def _is_wanted(self, line: _Line, seconds: float) -> bool:
        return any(self._wants(demand, seconds) for demand in line.demands)

    def _wants(self, demand: Demand, seconds: float) -> bool:
        """Plans are to the minute, and thousands of executions follow the same few."""
        if demand.valid_to is not None and seconds >= demand.valid_to.timestamp():
            return False
        key = id(demand.times), int(seconds // 60)
        if key not in self._asked:
            self._asked[key] = demand.times.is_active(datetime.fromtimestamp(seconds, tz=UTC))
        return self._asked[key]


def _lines(items: list[Wanted]) -> list[_Line]:
    """Most cameras have one or two lines, however many executions."""
    first = items[0]
    if all(item.interval == first.interval and item.demands is first.demands for item in items):
        return [_Line(first.interval, first.demands, tuple(item.execution for item in items))]
    grouped: dict[tuple[float, tuple[int, ...]], list[Wanted]] = defaultdict(list)
    for item in items:
        grouped[(item.interval, tuple(map(id, item.demands)))].append(item)
    return [
        _Line(interval, members[0].demands, tuple(item.execution for item in members))
        for (interval, _), members in grouped.items()
    ]


def slot_id(camera: UUID, preset: int, at: datetime) -> UUID:
    """Made from (camera, preset, planned time): planning twice is one row."""
    return key_id(at, camera, preset, at.isoformat(timespec="milliseconds"))
