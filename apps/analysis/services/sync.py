"""From demands to what really runs: units that fit share one execution, at the shortest interval any needs."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from apps.accounts.permissions import SYSTEM
from apps.algorithms.choices import MappingState, VersionState
from apps.algorithms.models import AlgorithmPackage, AlgorithmVersion, DetectionItem
from apps.analysis.choices import ExecutionState, Sampling, TaskState
from apps.analysis.models import AnalysisTask, AnalysisUnit, Execution, Scene, SceneRule
from apps.analysis.selectors.demand import ACTIVE_TASKS, demands_of
from apps.analysis.services.revision import bump_revision
from apps.analysis.services.spec import build_spec
from apps.core import audit, clock
from apps.core.ids import uuid7
from apps.devices.models import Stream

SYNC_LOCK = 7_202
PLATFORMS = ("cpu", "cuda", "tensorrt")


@dataclass(frozen=True, slots=True)
class SyncResult:
    """How many executions run, began, changed and ended, and how many units wait."""

    running: int = 0
    made: int = 0
    changed: int = 0
    ended: int = 0
    waiting: int = 0


@dataclass(slots=True)
class _Group:
    """Units that fit together."""

    unit: dict[str, Any]
    rule: SceneRule | None
    package: AlgorithmPackage
    interval: float
    priority: int = 0
    is_preemptible: bool = True
    units: list[UUID] = field(default_factory=list)

    def add(self, unit: dict[str, Any]) -> None:
        """The shortest interval any needs, the highest priority; pre-emptible where all of them are."""
        self.interval = min(self.interval, unit["interval"])
        self.priority = max(self.priority, unit["priority"])
        self.is_preemptible = self.is_preemptible and unit["is_preemptible"]
        self.units.append(unit["id"])


class _Facts:
    """What the decision needs, read in a handful of queries."""

    def __init__(self, units: list[dict[str, Any]]) -> None:
        cameras = {unit["camera_id"] for unit in units}
        versions = {unit["version_id"] for unit in units}
        self.versions = {
            version.pk: version
            for version in AlgorithmVersion.objects.filter(pk__in=versions)
            .select_related("algorithm")
            .prefetch_related("packages")
        }
        self.streamed = set(Stream.objects.filter(camera_id__in=cameras).values_list("camera_id", flat=True))
        self.mapped = set(
            DetectionItem.objects.filter(
                algorithm__versions__in=versions,
                mapping_state=MappingState.ACCEPTED,
                event_type__isnull=False,
            ).values_list("algorithm_id", flat=True)
        )
        self.masks = {
            (scene.camera_id, scene.preset): scene.masks
            for scene in Scene.objects.filter(camera_id__in=cameras)
        }
        self.rules = {
            (rule.scene.camera_id, rule.scene.preset, rule.algorithm_id, rule.owner_id): rule
            for rule in SceneRule.objects.filter(
                scene__camera_id__in=cameras, is_current=True
            ).select_related("scene")
        }

    def package(self, version_id: UUID) -> AlgorithmPackage | None:
        """The newest ready package of the version for a platform that nodes have; CPU first."""
        ready = [
            package
            for package in self.versions[version_id].packages.all()
            if package.state == VersionState.READY and package.platform in PLATFORMS
        ]
        ready.sort(key=lambda package: package.id, reverse=True)
        ready.sort(key=lambda package: PLATFORMS.index(package.platform))
        return ready[0] if ready else None

    def rule(self, unit: dict[str, Any]) -> SceneRule | None:
        """The organisation's own rule, else the managing organisation's, else the whole frame."""
        algorithm = self.versions[unit["version_id"]].algorithm_id
        place = (unit["camera_id"], unit["preset"], algorithm)
        return self.rules.get((*place, unit["organisation"])) or self.rules.get((*place, unit["manager"]))

    def blocked(self, unit: dict[str, Any]) -> str:
        """Why the unit cannot run now; empty when it can."""
        if not unit["enabled"]:
            return "camera_disabled"
        if unit["camera_id"] not in self.streamed:
            return "no_stream"
        if self.package(unit["version_id"]) is None:
            return "package_not_ready"
        if self.versions[unit["version_id"]].algorithm_id not in self.mapped:
            return "item_unmapped"
        return ""


def execution_key(unit: dict[str, Any], rule: SceneRule | None, package: AlgorithmPackage) -> str:
    """SHA-256 of what must be equal for units to share one execution."""
    parts = [
        unit["camera_id"],
        unit["preset"],
        unit["version_id"],
        package.pk,
        rule.pk if rule is not None else "",
        unit["sampling"],
        json.dumps(unit["parameters"], sort_keys=True),
    ]
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()


@transaction.atomic
def sync_executions() -> SyncResult:
    """Bring executions in step with the units of active tasks. Safe to call at any time, from anywhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SYNC_LOCK])
    _expire_tasks()
    units = _active_units()
    facts = _Facts(units)
    reasons: dict[UUID, str] = {}
    groups: dict[str, _Group] = {}
    for unit in units:
        reason = facts.blocked(unit)
        if reason:
            reasons[unit["id"]] = reason
            continue
        rule, package = facts.rule(unit), facts.package(unit["version_id"])
        assert package is not None
        key = execution_key(unit, rule, package)
        groups.setdefault(key, _Group(unit, rule, package, unit["interval"])).add(unit)
    made, changed, ids = _write_executions(groups, facts)
    ended = _end_others(set(ids.values()))
    _write_units(units, groups, ids, reasons)
    _start_tasks()
    if made or changed or ended:
        bump_revision()
    return SyncResult(len(groups), made, changed, ended, len(reasons))


def _expire_tasks() -> None:
    over = AnalysisTask.objects.filter(state=TaskState.RUNNING, valid_to__lte=clock.now())
    for task in over.select_for_update():
        task.state = TaskState.EXPIRED
        task.save(update_fields=["state", "updated_at"])
        audit.record(SYSTEM, "task.expire", task, owner_id=task.organisation_id)


def _active_units() -> list[dict[str, Any]]:
    return list(
        AnalysisUnit.objects.filter(task__state__in=ACTIVE_TASKS)
        .order_by("id")
        .values(
            "id",
            "camera_id",
            "preset",
            "version_id",
            "execution_id",
            "waiting_reason",
            organisation=F("task__organisation_id"),
            sampling=F("task__sampling"),
            interval=F("task__interval"),
            parameters=F("task__parameters"),
            priority=F("task__priority"),
            is_preemptible=F("task__is_preemptible"),
            enabled=F("camera__is_enabled"),
            manager=F("camera__managing_organisation_id"),
        )
    )


def _write_executions(groups: dict[str, _Group], facts: _Facts) -> tuple[int, int, dict[str, UUID]]:
    present = {row.key: row for row in Execution.objects.filter(key__in=groups)}
    fresh, changed = [], []
    for key, group in groups.items():
        row = present.get(key)
        if row is None:
            row = present[key] = _new_execution(key, group)
            fresh.append(row)
        spec = build_spec(
            execution_id=row.pk,
            camera_id=row.camera_id,
            preset=row.preset,
            version=facts.versions[row.version_id],
            package=group.package,
            rule=group.rule,
            masks=facts.masks.get((row.camera_id, row.preset), []),
            parameters=group.unit["parameters"],
            priority=group.priority,
            is_preemptible=group.is_preemptible,
        )
        state, reason = row.state, row.state_reason
        if state in {ExecutionState.STOPPED, ExecutionState.FAILED}:
            state, reason = _first_state(row.sampling)
        if (row.spec, row.interval, row.state) != (spec, group.interval, state):
            row.spec, row.interval, row.state, row.state_reason = spec, group.interval, state, reason
            if row not in fresh:
                changed.append(row)
    Execution.objects.bulk_create(fresh)
    Execution.objects.bulk_update(changed, ["spec", "interval", "state", "state_reason"], batch_size=500)
    return len(fresh), len(changed), {key: present[key].pk for key in groups}


def _first_state(sampling: str) -> tuple[str, str]:
    """Snapshots run from the shared queue at once; live sampling waits for a node."""
    if sampling == Sampling.SNAPSHOT:
        return ExecutionState.RUNNING, ""
    return ExecutionState.WAITING, "not_placed"


def _new_execution(key: str, group: _Group) -> Execution:
    unit = group.unit
    state, reason = _first_state(unit["sampling"])
    return Execution(
        id=uuid7(),
        key=key,
        camera_id=unit["camera_id"],
        preset=unit["preset"],
        version_id=unit["version_id"],
        package=group.package,
        rule=group.rule,
        sampling=unit["sampling"],
        interval=group.interval,
        state=state,
        state_reason=reason,
    )


def _end_others(wanted: set[UUID]) -> int:
    over = Execution.objects.exclude(state=ExecutionState.STOPPED).exclude(pk__in=wanted)
    return over.update(
        state=ExecutionState.STOPPED, state_reason="", node="", lease_until=None, fence=F("fence") + 1
    )


def _write_units(
    units: list[dict[str, Any]],
    groups: dict[str, _Group],
    ids: dict[str, UUID],
    reasons: dict[UUID, str],
) -> None:
    AnalysisUnit.objects.filter(execution__isnull=False).exclude(task__state__in=ACTIVE_TASKS).update(
        execution=None, waiting_reason=""
    )
    serving = {unit: ids[key] for key, group in groups.items() for unit in group.units}
    moment = clock.now()
    before = {unit["id"]: unit for unit in units}
    targets: dict[UUID | None, list[UUID]] = defaultdict(list)
    for unit in units:
        if unit["execution_id"] != serving.get(unit["id"]):
            targets[serving.get(unit["id"])].append(unit["id"])
    for execution, members in targets.items():
        AnalysisUnit.objects.filter(pk__in=members).update(execution_id=execution)
    active = {
        execution
        for execution, demands in demands_of().items()
        if any(demand.wants(moment) for demand in demands)
    }
    words: dict[str, list[UUID]] = defaultdict(list)
    for identifier, unit in before.items():
        reason = reasons.get(identifier, "")
        if not reason and serving.get(identifier) not in active:
            reason = "outside_plan"
        if reason != unit["waiting_reason"]:
            words[reason].append(identifier)
    for reason, members in words.items():
        AnalysisUnit.objects.filter(pk__in=members).update(waiting_reason=reason)


def _start_tasks() -> None:
    served = AnalysisUnit.objects.filter(execution__isnull=False).values("task_id")
    AnalysisTask.objects.filter(state=TaskState.ARRANGING, pk__in=served).update(
        state=TaskState.RUNNING, state_reason=""
    )
