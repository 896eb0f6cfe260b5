"""One beat of the planner: plan a few seconds ahead, hand out what is due, sweep what was left lying."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from apps.analysis.choices import ExecutionState, Sampling
from apps.analysis.models import Execution
from apps.analysis.planner.heap import Agenda, Wanted
from apps.analysis.selectors.demand import demands_of
from apps.analysis.services import close_overdue, revision, take_due, take_unanalysed, write_slots

HORIZON = timedelta(seconds=5)
CATCH_UP = timedelta(seconds=10)
"""How far back a planner that starts plans what nobody planned."""
RELOAD = timedelta(seconds=60)
SWEEP = timedelta(seconds=2)
GRACE = timedelta(seconds=120)
"""A captured picture is still analysed this long after its interval; later it says so."""
BATCH = 32


@dataclass(frozen=True, slots=True)
class Tick:
    """What to do now: batches of slot ids for the capture and inference queues, frames nobody needs."""

    planned: int = 0
    capture: list[list[UUID]] = field(default_factory=list)
    inference: list[list[UUID]] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)


class Planner:
    """One per scheduler process; only the leader's is asked."""

    def __init__(self) -> None:
        self._agenda: Agenda | None = None
        self._revision = -1
        self._loaded_at: datetime | None = None
        self._planned_until: datetime | None = None
        self._swept_at: datetime | None = None

    def tick(self, now: datetime) -> Tick:
        """Plan, hand out, sweep. Repeating it, or running two, does no harm: ids are made from the plan."""
        agenda = self._load(now)
        slots = agenda.pop(now + HORIZON)
        self._planned_until = now + HORIZON
        planned = write_slots(slots)
        capture = _batches(take_due(now))
        inference: list[list[UUID]] = []
        frames: list[str] = []
        if self._swept_at is None or now - self._swept_at >= SWEEP:
            self._swept_at = now
            inference = _batches(take_unanalysed(now, GRACE))
            frames = close_overdue(now, GRACE)
        return Tick(planned, capture, inference, frames)

    def _load(self, now: datetime) -> Agenda:
        current = revision()
        fresh = self._loaded_at is not None and now - self._loaded_at < RELOAD
        if self._agenda is not None and current == self._revision and fresh:
            return self._agenda
        start = now - CATCH_UP
        if self._planned_until is not None and current == self._revision:
            start = max(start, self._planned_until)
        self._agenda = Agenda(wanted_executions(), start)
        self._revision, self._loaded_at = current, now
        return self._agenda


def wanted_executions() -> list[Wanted]:
    """The snapshot executions that run, with their demands."""
    rows = Execution.objects.filter(sampling=Sampling.SNAPSHOT, state=ExecutionState.RUNNING)
    demands = demands_of()
    return [
        Wanted(execution, camera, preset, interval, demands[execution])
        for execution, camera, preset, interval in rows.values_list("id", "camera_id", "preset", "interval")
        if execution in demands
    ]


def _batches(ids: list[UUID], size: int = BATCH) -> list[list[UUID]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]


_planner = Planner()


def plan_tick(now: datetime) -> Tick:
    """The beat of this process's planner."""
    return _planner.tick(now)
