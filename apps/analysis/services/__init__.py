"""Writes of the analysis room."""

from apps.analysis.services.plans import save_plan
from apps.analysis.services.regular_sync import sync_when_changed
from apps.analysis.services.results import AnalysisResult, Recorded, close_overdue, record_results
from apps.analysis.services.revision import bump_revision, revision
from apps.analysis.services.scenes import ensure_scene, save_scene, save_scene_rule
from apps.analysis.services.slots import (
    PlannedSlot,
    backlog,
    lease_for_capture,
    lease_for_inference,
    mark_captured,
    mark_not_captured,
    release,
    send_back,
    take_due,
    take_unanalysed,
    write_slots,
)
from apps.analysis.services.sync import SyncResult, sync_executions
from apps.analysis.services.tasks import create_task, needs_approval, stop_task, submit_task

__all__ = [
    "AnalysisResult",
    "PlannedSlot",
    "Recorded",
    "SyncResult",
    "backlog",
    "bump_revision",
    "close_overdue",
    "create_task",
    "ensure_scene",
    "lease_for_capture",
    "lease_for_inference",
    "mark_captured",
    "mark_not_captured",
    "needs_approval",
    "record_results",
    "release",
    "revision",
    "save_plan",
    "save_scene",
    "save_scene_rule",
    "send_back",
    "stop_task",
    "submit_task",
    "sync_executions",
    "sync_when_changed",
    "take_due",
    "take_unanalysed",
    "write_slots",
]
