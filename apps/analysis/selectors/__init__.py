"""Reads of the analysis room."""

from apps.analysis.selectors.demand import Demand, demands_of
from apps.analysis.selectors.plans import PlanError, is_active, plan_times, times_of

__all__ = ["Demand", "PlanError", "demands_of", "is_active", "plan_times", "times_of"]
