"""Analysis tasks: created as a draft, submitted, stopped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import jsonschema
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Organisation
from apps.accounts.permissions import Principal
from apps.algorithms.models import AlgorithmVersion
from apps.analysis.choices import TASK_MOVES, Sampling, TaskKind, TaskSource, TaskState
from apps.analysis.models import AnalysisTask, AnalysisUnit, Plan
from apps.core import audit, clock
from apps.core.errors import Conflict, NotFound, Refusal
from apps.core.moves import locked, move
from apps.core.wake import wake
from apps.devices.models import Camera
from workers.vision.rules import RULE_PARAMETERS

SHORTEST = {Sampling.SNAPSHOT: 5.0, Sampling.KEYFRAMES: 0.0, Sampling.FPS: 1 / 25}
LONGEST = 86_400.0
HIGHEST_PRIORITY = 9
MOST_UNITS = 100_000


def needs_approval(task: AnalysisTask) -> bool:
    """A task on cameras of one's own organisation needs no approval; the approval engine joins here."""
    return False


@transaction.atomic
def create_task(
    *,
    by: Principal,
    name: str,
    cameras: Iterable[Camera],
    versions: Iterable[AlgorithmVersion],
    plan: Plan,
    sampling: str = Sampling.SNAPSHOT,
    interval: float = 60.0,
    parameters: dict[str, Any] | None = None,
    priority: int = 0,
    is_preemptible: bool = False,
    valid_to: datetime | None = None,
    source: str = TaskSource.OWN,
) -> AnalysisTask:
    """A draft with its units. Every camera must be the principal's to analyse (code `camera_not_yours`).

    A `priority` above 0 takes room from others: whoever runs the service decides about that.
    """
    by.must("tasks.manage")
    if priority:
        by.must("tasks.prioritise")
    chosen, wanted = list(cameras), list(versions)
    _check_size(name, chosen, wanted)
    _check_sampling(sampling, interval)
    if not 0 <= priority <= HIGHEST_PRIORITY:
        words = _("The priority must lie between 0 and %(most)d.") % {"most": HIGHEST_PRIORITY}
        raise Refusal("priority_out_of_range", words, fields={"priority": words})
    _check_parameters(parameters or {})
    if valid_to is not None and valid_to <= clock.now():
        raise Refusal("task_over", _("The end lies in the past."), fields={"valid_to": _("In the past.")})
    _check_cameras(by, chosen)
    if not Plan.objects.all().visible_to(by).filter(pk=plan.pk).exists():
        raise Refusal("plan_unknown", _("There is no such plan."), fields={"plan": _("Unknown plan.")})
    task = AnalysisTask.objects.create(
        name=name.strip(),
        organisation_id=by.organisation_id or _only_owner(chosen).pk,
        kind=TaskKind.REALTIME,
        source=TaskSource.APP if by.kind == "app" else source,
        plan=plan,
        sampling=sampling,
        interval=interval,
        parameters=parameters or {},
        priority=priority,
        is_preemptible=is_preemptible,
        valid_to=valid_to,
        created_by=by.user,
    )
    task.cameras.set(chosen)
    task.versions.set(wanted)
    AnalysisUnit.objects.bulk_create(
        [AnalysisUnit(task=task, camera=camera, version=version) for camera in chosen for version in wanted]
    )
    audit.record(
        by, "task.create", task, owner_id=task.organisation_id, cameras=len(chosen), versions=len(wanted)
    )
    return task


def _only_owner(cameras: list[Camera]) -> Organisation:
    return cameras[0].managing_organisation


def _check_size(name: str, cameras: list[Camera], versions: list[AlgorithmVersion]) -> None:
    if not name.strip():
        raise Refusal("name_missing", _("Give the task a name."), fields={"name": _("Missing.")})
    if not cameras:
        raise Refusal("no_camera", _("Choose at least one camera."), fields={"cameras": _("None chosen.")})
    if not versions:
        raise Refusal(
            "no_algorithm", _("Choose at least one algorithm."), fields={"versions": _("None chosen.")}
        )
    if len(cameras) * len(versions) > MOST_UNITS:
        raise Refusal("task_too_large", _("Split the task: it has too many cameras and algorithms."))


def _check_sampling(sampling: str, interval: float) -> None:
    if sampling not in Sampling.values:
        raise Refusal("sampling_unknown", _("There is no such sampling."), fields={"sampling": _("Unknown.")})
    if not SHORTEST[Sampling(sampling)] <= interval <= LONGEST:
        words = _("The interval must lie between %(low)g and %(high)g seconds.") % {
            "low": SHORTEST[Sampling(sampling)],
            "high": LONGEST,
        }
        raise Refusal("interval_out_of_range", words, fields={"interval": words})


def _check_parameters(parameters: dict[str, Any]) -> None:
    """What the engine takes for any algorithm; it would refuse to look at anything with a wrong one."""
    checker = jsonschema.Draft202012Validator({"type": "object", "properties": RULE_PARAMETERS})
    found = next(checker.iter_errors(parameters), None)
    if found is not None:
        name = str(next(iter(found.absolute_path), "parameters"))
        words = _("Parameter “%(name)s” is not right: %(reason)s") % {"name": name, "reason": found.message}
        raise Refusal("bad_parameter", words, fields={"parameters": found.message})


def _check_cameras(by: Principal, cameras: list[Camera]) -> None:
    wanted = {camera.pk for camera in cameras}
    allowed = set(
        Camera.objects.all().visible_to(by, "analyse").filter(pk__in=wanted).values_list("pk", flat=True)
    )
    if wanted - allowed:
        words = _("%(count)d of these cameras are not yours to analyse. Apply for analysis first.") % {
            "count": len(wanted - allowed)
        }
        raise Refusal("camera_not_yours", words, fields={"cameras": words})


def _check_owner(by: Principal, task: AnalysisTask) -> None:
    """A task is changed by those of its own organisation or above it; for others it does not exist."""
    if not AnalysisTask.objects.all().visible_to(by, "change").filter(pk=task.pk).exists():
        raise NotFound("not_found", _("There is nothing here, or you may not see it."))


@transaction.atomic
def submit_task(*, by: Principal, task: AnalysisTask) -> AnalysisTask:
    """draft → arranging (or → in approval where the seam says so); the planner takes it from there."""
    by.must("tasks.manage")
    _check_owner(by, task)
    _check_cameras(by, list(task.cameras.all()))
    to = TaskState.IN_APPROVAL if needs_approval(task) else TaskState.ARRANGING
    row = move(task, to, TASK_MOVES, state_reason="")
    audit.record(by, "task.submit", row, owner_id=row.organisation_id, state=to)
    wake("analysis")
    return row


@transaction.atomic
def stop_task(*, by: Principal, task: AnalysisTask, reason: str = "") -> AnalysisTask:
    """End the task's demands; an execution that serves nobody else ends with it."""
    by.must("tasks.manage")
    _check_owner(by, task)
    row = locked(task)
    if row.state in {TaskState.STOPPED, TaskState.EXPIRED}:
        raise Conflict("already_stopped", _("This task does not run."))
    row = move(task, TaskState.STOPPED, TASK_MOVES, state_reason=reason[:200])
    AnalysisUnit.objects.filter(task=row).update(execution=None, waiting_reason="")
    audit.record(by, "task.stop", row, owner_id=row.organisation_id, reason=reason)
    wake("analysis")
    return row
