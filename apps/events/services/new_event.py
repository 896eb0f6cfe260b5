"""What a new event is made of: everything that decided it, read for a whole batch at once."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.algorithms.choices import ReviewPolicy
from apps.algorithms.models import AlgorithmVersion, EventType
from apps.analysis.models import AnalysisTask, AnalysisUnit, Execution, Scene
from apps.core import clock
from apps.events.choices import ReviewState
from apps.events.models import Event, RawEvent

SAMPLE_ONE_IN = 10
DEFAULT_WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What decided for the event: ids of the strategy version and its trace; `window_s` is the merge window."""

    strategy: UUID | None = None
    strategy_name: str = ""
    strategy_version: UUID | None = None
    strategy_number: int | None = None
    trace: UUID | None = None
    window_s: float | None = None


class Surroundings:
    """Executions, tasks and addresses of the raw events that raise something: three reads however many they are."""

    def __init__(self, raws: Sequence[RawEvent]) -> None:
        if not raws:
            return
        executions = Execution.objects.filter(pk__in={raw.execution_id for raw in raws})
        self._executions = {row.pk: row for row in executions.select_related("version__algorithm")}
        units = AnalysisUnit.objects.filter(pk__in={unit for raw in raws for unit in raw.units})
        self._tasks: dict[UUID, AnalysisTask] = {row.pk: row.task for row in units.select_related("task")}
        scenes = Scene.objects.filter(camera_id__in={raw.camera_id for raw in raws}).exclude(address="")
        self._addresses = {
            (camera, preset): address
            for camera, preset, address in scenes.values_list("camera_id", "preset", "address")
        }

    def event(self, raw: RawEvent, kind: EventType, event_id: UUID, decision: Decision) -> Event:
        """The unsaved event of `raw`, with camera, type and algorithm loaded for those who are told."""
        window = timedelta(seconds=decision.window_s or DEFAULT_WINDOW_S)
        event = Event(
            id=event_id,
            event_type=kind,
            level=kind.level,
            camera=raw.camera,
            preset=raw.preset,
            time=raw.time,
            first_seen=raw.time,
            last_seen=raw.time,
            open_until=open_until(raw.time, window),
            expires_at=raw.time + timedelta(minutes=kind.validity_minutes),
            targets=raw.targets,
            score=raw.score,
            capture_id=raw.capture_id,
            algorithm_version_id=UUID(raw.context["version"]),
            address=self._addresses.get((raw.camera_id, raw.preset), raw.camera.address),
            raw_event_id=raw.pk,
            explanation=self._explanation(raw, decision, window),
            review_state=_review_state(raw, kind),
        )
        version = self._version(raw)
        if version is not None and version.pk == event.algorithm_version_id:
            event.algorithm_version = version
        return event

    def _version(self, raw: RawEvent) -> AlgorithmVersion | None:
        execution = self._executions.get(raw.execution_id)
        return execution.version if execution else None

    def _explanation(self, raw: RawEvent, decision: Decision, window: timedelta) -> dict[str, object]:
        tasks = {
            str(self._tasks[unit].pk): self._tasks[unit].requisition_reference
            for unit in raw.units
            if unit in self._tasks
        }
        version = self._version(raw)
        return {
            "raw_event": str(raw.pk),
            "item": raw.item.code,
            "execution": str(raw.execution_id),
            "package": raw.package_fingerprint,
            "algorithm": {
                "id": version.algorithm.slug if version else None,
                "version": version.version if version else None,
            },
            "rule": _text(raw.rule_id),
            "rule_version": raw.context.get("rule_version"),
            "strategy": _text(decision.strategy),
            "strategy_name": decision.strategy_name,
            "strategy_version": decision.strategy_number,
            "strategy_version_id": _text(decision.strategy_version),
            "trace": _text(decision.trace),
            "task": min(tasks, default=None),
            "tasks": sorted(tasks),
            "requisitions": sorted({reference for reference in tasks.values() if reference}),
            "capture": _text(raw.capture_id),
            "slot": _text(raw.slot_id),
            "merge_window_s": window.total_seconds(),
        }


def merge_window(event: Event) -> timedelta:
    """The window its strategy gave it."""
    return timedelta(seconds=float(event.explanation.get("merge_window_s", 0)))


def open_until(seen: datetime, window: timedelta) -> datetime:
    """By the wall clock, so that an analysis of old recordings does not end its events while it still runs."""
    return max(seen, clock.now()) + window


def _review_state(raw: RawEvent, kind: EventType) -> ReviewState:
    if kind.review_policy == ReviewPolicy.DIRECT:
        return ReviewState.NOT_REQUIRED
    if kind.review_policy == ReviewPolicy.SAMPLED and zlib.crc32(raw.pk.bytes) % SAMPLE_ONE_IN:
        return ReviewState.NOT_REQUIRED
    return ReviewState.PENDING


def _text(identifier: UUID | None) -> str | None:
    return str(identifier) if identifier else None
