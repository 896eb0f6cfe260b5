"""What should be looked at, where and when."""

from apps.analysis.models.execution import CaptureSlot, Execution, ExecutionHour
from apps.analysis.models.plan import Plan, WorkCalendarDay
from apps.analysis.models.scene import Scene, SceneRule
from apps.analysis.models.task import AnalysisTask, AnalysisUnit

__all__ = [
    "AnalysisTask",
    "AnalysisUnit",
    "CaptureSlot",
    "Execution",
    "ExecutionHour",
    "Plan",
    "Scene",
    "SceneRule",
    "WorkCalendarDay",
]
