"""One beat of the planner: plan a few seconds ahead, hand out what is due, sweep what was left lying."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from apps.analysis.planner.heap import Agenda
from apps.analysis.planner.wanted import state_of_demand, wanted_executions
from apps.analysis.services import close_overdue, revision, take_due, take_unanalysed, write_slots

HORIZON = timedelta(seconds=5)
CATCH_UP = timedelta(seconds=10)
"""How far back a planner that starts plans what nobody planned."""
LOOK = timedelta(seconds=60)
"""How often the rows are asked whether the agenda is still what they say, whatever the revision is."""
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
        self._state: tuple[object, ...] | None = None
        self._looked_at: datetime | None = None
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
        """The agenda kept between ticks; made anew where the revision grew, or the rows say something else."""
        current = revision()
        is_known = self._agenda is not None and current == self._revision
        if is_known and self._looked_at is not None and now - self._looked_at < LOOK:
            assert self._agenda is not None
            return self._agenda
        self._looked_at = now
        state = state_of_demand()  # before the rows: what changes in between is seen at the next look
        if self._agenda is not None and is_known and state == self._state:
            return self._agenda
        start = now - CATCH_UP
        if self._planned_until is not None and is_known:
            start = max(start, self._planned_until)
        self._agenda = Agenda(wanted_executions(), start)
        self._revision, self._state = current, state
        return self._agenda


def _batches(ids: list[UUID], size: int = BATCH) -> list[list[UUID]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]


_planner = Planner()


def plan_tick(now: datetime) -> Tick:
    """The beat of this process's planner."""
    return _planner.tick(now)
