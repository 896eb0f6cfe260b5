"""What executions are asked for now: the plans and ends of the tasks behind them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.analysis.choices import TaskState
from apps.analysis.models import AnalysisUnit
from apps.analysis.selectors.plans import PlanTimes, times_of

ACTIVE_TASKS = (TaskState.ARRANGING, TaskState.RUNNING)


@dataclass(frozen=True, slots=True)
class Demand:
    """One wish behind an execution: when, and until when (None: without end)."""

    times: PlanTimes
    valid_to: datetime | None

    def wants(self, at: datetime) -> bool:
        """True when the execution is wanted at `at`."""
        return (self.valid_to is None or at < self.valid_to) and self.times.is_active(at)


def demands_of(execution_ids: Iterable[UUID] | None = None) -> dict[UUID, tuple[Demand, ...]]:
    """Execution id → its distinct demands; all executions with units when no ids are given."""
    units = AnalysisUnit.objects.filter(execution__isnull=False, task__state__in=ACTIVE_TASKS)
    if execution_ids is not None:
        units = units.filter(execution_id__in=list(execution_ids))
    rows = set(units.values_list("execution_id", "task__plan_id", "task__valid_to").distinct())
    times = times_of(row[1] for row in rows)
    found: dict[UUID, tuple[Demand, ...]] = {}
    for execution, plan, until in rows:
        found[execution] = (*found.get(execution, ()), Demand(times[plan], until))
    return found
