"""Shaped reads for the pages of tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from apps.analysis.choices import ExecutionState, Outcome
from apps.analysis.models import AnalysisTask, AnalysisUnit
from apps.analysis.selectors.reasons import reason_words
from apps.devices.models import Camera

MOST_CHOICES = 40


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One unit with what it does now and what came last."""

    unit: AnalysisUnit
    state: str
    state_words: str
    outcome: str
    outcome_words: str
    at: Any


def unit_lines(units: QuerySet[AnalysisUnit]) -> list[UnitLine]:
    """Lines of these units."""
    return [_line(unit) for unit in units.select_related("camera", "version__algorithm", "execution")]


def _line(unit: AnalysisUnit) -> UnitLine:
    execution = unit.execution
    waiting = unit.waiting_reason or (execution.state_reason if execution is not None else "")
    state = "waiting" if unit.waiting_reason or execution is None else execution.state
    outcome = execution.last_outcome if execution is not None else ""
    return UnitLine(
        unit,
        state,
        reason_words(waiting) or str(ExecutionState(state).label),
        outcome,
        reason_words(execution.last_reason if execution is not None else "")
        or (str(Outcome(outcome).label) if outcome else ""),
        execution.last_result_at if execution is not None else None,
    )


def tasks_of_camera(camera: Camera, principal: Any) -> list[UnitLine]:
    """Units of active tasks that look at the camera, as far as the principal may see them."""
    units = (
        AnalysisUnit.objects.all()
        .visible_to(principal)
        .filter(camera=camera, task__state__in=("arranging", "running"))
        .select_related("task")
        .order_by("-pk")[:20]
    )
    return unit_lines(units)


def cameras_to_choose(principal: Any, text: str, chosen: list[str]) -> list[Camera]:
    """Cameras the principal may analyse: the chosen ones first, then what the words find."""
    rows = Camera.objects.all().visible_to(principal, "analyse").order_by("name")
    kept = list(rows.filter(pk__in=chosen)[:1000])
    for word in text.split()[:6]:
        rows = rows.filter(search_text__icontains=word)
    return kept + [row for row in rows[:MOST_CHOICES] if row not in kept]


def progress(task: AnalysisTask) -> dict[str, int]:
    """Units of the task: all, served by an execution, waiting."""
    units = AnalysisUnit.objects.filter(task=task)
    total = units.count()
    waiting = (
        units.exclude(waiting_reason="").count()
        + units.filter(execution__isnull=True, waiting_reason="").count()
    )
    return {"units": total, "served": total - waiting, "waiting": waiting}
