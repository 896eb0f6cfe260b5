"""What the agenda is made of, read in one statement, and a short answer to whether that has changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.analysis.choices import ExecutionState, Sampling
from apps.analysis.planner.heap import Wanted
from apps.analysis.selectors.demand import ACTIVE_TASKS, Demand
from apps.analysis.selectors.plans import times_of

_WANTED_SQL = """
WITH wish AS MATERIALIZED (
    SELECT u.execution_id, array_agg(DISTINCT u.task_id ORDER BY u.task_id) AS tasks
    FROM analysis_analysisunit u JOIN analysis_analysistask t ON t.id = u.task_id
    WHERE u.execution_id IS NOT NULL AND t.state = ANY(%(active)s) GROUP BY u.execution_id)
SELECT e.camera_id, e.preset, e.interval, w.tasks::text, array_agg(e.id ORDER BY e.id)
FROM analysis_execution e JOIN wish w ON w.execution_id = e.id
WHERE e.sampling = %(sampling)s AND e.state = %(running)s
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
_STATE_SQL = """
SELECT
    (SELECT ROW(count(*), sum(uuid_hash_extended(e.id, hashfloat8extended(e.interval, e.preset))))::text
        FROM analysis_execution e WHERE e.sampling = %(sampling)s AND e.state = %(running)s),
    (SELECT ROW(count(*), sum(uuid_hash_extended(u.execution_id, uuid_hash_extended(u.task_id, 0))))::text
        FROM analysis_analysisunit u JOIN analysis_analysistask t ON t.id = u.task_id
        WHERE u.execution_id IS NOT NULL AND t.state = ANY(%(active)s)),
    (SELECT md5(string_agg(ROW(t.id, t.plan_id, t.valid_to)::text, '' ORDER BY t.id))
        FROM analysis_analysistask t WHERE t.state = ANY(%(active)s)),
    (SELECT md5(string_agg(ROW(p.id, p.kind, p.periods)::text, '' ORDER BY p.id)) FROM analysis_plan p),
    (SELECT md5(string_agg(ROW(d.date, d.is_workday)::text, '' ORDER BY d.date)) FROM analysis_workcalendarday d)
"""
_VALUES = {
    "active": list(ACTIVE_TASKS),
    "sampling": Sampling.SNAPSHOT.value,
    "running": ExecutionState.RUNNING.value,
}


def state_of_demand() -> tuple[object, ...]:
    """Equal as long as `wanted_executions` would give the same: hashes made where the rows are, none is fetched."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE_SQL, _VALUES)
        return tuple(cursor.fetchone())


def wanted_executions() -> list[Wanted]:
    """The snapshot executions that run, with their demands: a row for those of a camera that tick alike."""
    with connection.cursor() as cursor:
        cursor.execute(_WANTED_SQL, _VALUES)
        rows = cursor.fetchall()
    demands = _demands({row[3] for row in rows})
    return [
        Wanted(execution, camera, preset, interval, demands[tasks])
        for camera, preset, interval, tasks, executions in rows
        for execution in executions
    ]


def _demands(sets: set[str]) -> dict[str, tuple[Demand, ...]]:
    """Sets of tasks, as the database writes them → their distinct demands; one object for each."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, plan_id, valid_to FROM analysis_analysistask WHERE state = ANY(%(active)s)", _VALUES
        )
        tasks: list[tuple[UUID, Any, datetime | None]] = cursor.fetchall()
    times = times_of(plan for _, plan, _ in tasks)
    known = {key: Demand(times[key[0]], key[1]) for key in {(plan, until) for _, plan, until in tasks}}
    of_task = {str(task): known[(plan, until)] for task, plan, until in tasks}
    found: dict[str, tuple[Demand, ...]] = {}
    for text in sets:
        present = [of_task[task] for task in text.strip("{}").split(",") if task in of_task]
        found[text] = tuple({id(demand): demand for demand in present}.values())
    return found
