"""Closed lists and move tables of the analysis room."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class TaskKind(TextChoices):
    """Over live cameras, or over what was recorded."""

    REALTIME = "realtime", _("Real time")
    HISTORICAL = "historical", _("Historical")


class TaskSource(TextChoices):
    """任务来源."""

    OWN = "own", _("Own cameras")
    REQUISITION = "requisition", _("Requisition")
    APP = "app", _("App")
    AUTO_TAGGING = "auto_tagging", _("Automatic tagging")
    EVALUATION = "evaluation", _("Evaluation")


class TaskState(TextChoices):
    """States of a realtime task; a task on one's own cameras needs no approval."""

    DRAFT = "draft", _("Draft")
    IN_APPROVAL = "in_approval", _("In approval")
    ARRANGING = "arranging", _("Arranging")
    RUNNING = "running", _("Running")
    EXPIRED = "expired", _("Expired")
    REJECTED = "rejected", _("Rejected")
    STOPPED = "stopped", _("Stopped")


TASK_MOVES = {
    TaskState.DRAFT: frozenset({TaskState.IN_APPROVAL, TaskState.ARRANGING}),
    TaskState.IN_APPROVAL: frozenset({TaskState.ARRANGING, TaskState.REJECTED, TaskState.DRAFT}),
    TaskState.REJECTED: frozenset({TaskState.DRAFT}),
    TaskState.ARRANGING: frozenset({TaskState.RUNNING, TaskState.STOPPED}),
    TaskState.RUNNING: frozenset({TaskState.EXPIRED, TaskState.STOPPED, TaskState.ARRANGING}),
    TaskState.EXPIRED: frozenset({TaskState.ARRANGING}),
    TaskState.STOPPED: frozenset({TaskState.ARRANGING, TaskState.DRAFT}),
}


class PlanKind(TextChoices):
    """时间计划."""

    ALL_DAY = "all_day", _("All day")
    WORKDAYS = "workdays", _("Workdays")
    PERIODS = "periods", _("Periods")


class Sampling(TextChoices):
    """How frames are taken."""

    SNAPSHOT = "snapshot", _("Snapshot every N seconds")
    KEYFRAMES = "keyframes", _("Keyframes")
    FPS = "fps", _("Frames per second")


class ExecutionState(TextChoices):
    """Placement of an execution; waiting always has a reason."""

    WAITING = "waiting", _("Waiting")
    ASSIGNED = "assigned", _("Assigned")
    RUNNING = "running", _("Running")
    RETRYING = "retrying", _("Retrying")
    PREEMPTED = "preempted", _("Preempted")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")


class SlotState(TextChoices):
    """抓图计划项."""

    PLANNED = "planned", _("Planned")
    LEASED = "leased", _("Being captured")
    CAPTURED = "captured", _("Captured")
    NOT_CAPTURED = "not_captured", _("Not captured")


SLOT_MOVES = {
    SlotState.PLANNED: frozenset({SlotState.LEASED, SlotState.NOT_CAPTURED}),
    SlotState.LEASED: frozenset({SlotState.CAPTURED, SlotState.NOT_CAPTURED, SlotState.LEASED}),
    SlotState.CAPTURED: frozenset({SlotState.LEASED, SlotState.NOT_CAPTURED}),
    SlotState.NOT_CAPTURED: frozenset(),
}


class Outcome(TextChoices):
    """The three results of an analysis; "we did not look" is never "nothing there"."""

    HIT = "hit", _("Hit")
    CLEAR = "clear", _("Clear")
    NOT_ANALYSED = "not_analysed", _("Not analysed")
