"""Reads of the analysis room."""

from apps.analysis.selectors.coverage import Cell, coverage, totals
from apps.analysis.selectors.demand import Demand, demands_of
from apps.analysis.selectors.parameters import look_every, rule_schema
from apps.analysis.selectors.plans import PlanError, is_active, plan_times, times_of
from apps.analysis.selectors.reasons import reason_words
from apps.analysis.selectors.tasks import cameras_to_choose, progress, tasks_of_camera, unit_lines

__all__ = [
    "Cell",
    "Demand",
    "PlanError",
    "cameras_to_choose",
    "coverage",
    "demands_of",
    "is_active",
    "look_every",
    "plan_times",
    "progress",
    "reason_words",
    "rule_schema",
    "tasks_of_camera",
    "times_of",
    "totals",
    "unit_lines",
]
