"""Builders for the analysis room: a built-in algorithm, tasks, executions ready to run."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import Organisation
from apps.accounts.permissions import Principal
from apps.algorithms.models import AlgorithmPackage, AlgorithmVersion
from apps.analysis.models import AnalysisTask, Execution
from apps.analysis.services import create_task, submit_task, sync_executions
from tests.support import factories

ITEM = "someone.inside"


def builtin_version(analyser: str = "intrusion", rule: dict[str, Any] | None = None) -> AlgorithmVersion:
    """A listed version of a built-in analyser with one mapped item, as its package's manifest would say it."""
    package: AlgorithmPackage = factories.package()
    version = factories.algorithm_version(package_=package, item=ITEM)
    entry = {
        "id": version.algorithm.slug,
        "version": version.version,
        "analyser": analyser,
        "items": [
            {"code": ITEM, "labels": ["mover"], "rule": rule or {"kind": "presence", "min_targets": 1}}
        ],
    }
    version.entry = entry
    version.parameters = {"properties": {"sensitivity": {"type": "number", "default": 0.5}}}
    version.save()
    package.manifest = {"algorithms": [entry], "models": []}
    package.save()
    return version


def arranger(organisation: Organisation) -> Principal:
    """Somebody who may create tasks and edit scenes."""
    return factories.principal(organisation, roles=("algorithm_arranger",))


def running_task(
    organisation: Organisation, cameras: list[Any], versions: list[AlgorithmVersion], **fields: Any
) -> AnalysisTask:
    """A submitted task whose executions exist."""
    by = arranger(organisation)
    plan = fields.pop("plan", None) or factories.plan(organisation)
    task = create_task(by=by, name="task", cameras=cameras, versions=versions, plan=plan, **fields)
    submit_task(by=by, task=task)
    sync_executions()
    task.refresh_from_db()
    return task


def executions_of(task: AnalysisTask) -> list[Execution]:
    """The executions that serve a task."""
    return list(Execution.objects.filter(units__task=task).distinct())
