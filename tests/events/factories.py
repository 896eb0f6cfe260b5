"""Executions, raw events and events for the tests of these rooms."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.accounts.models import Organisation
from apps.algorithms.models import AlgorithmVersion, EventType
from apps.analysis.models import AnalysisTask, AnalysisUnit, Execution
from apps.core import clock
from apps.devices.models import Camera
from apps.events.models import Event, RawEvent
from apps.events.services import Decision, NewRawEvent, raise_event, record_raw_events
from tests.support import factories

_number = itertools.count(1)
BOX = [0.4, 0.4, 0.2, 0.2]
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def execution(
    camera: Camera | None = None, *, version: AlgorithmVersion | None = None, **fields: Any
) -> Execution:
    """A running execution of `version` on preset 0, one frame a second, without units."""
    version = version or factories.algorithm_version()
    values = {
        "key": f"{next(_number):064x}",
        "camera": camera or factories.camera(),
        "version": version,
        "package": version.packages.get(),
        "sampling": "fps",
        "interval": 1.0,
        "state": "running",
        **fields,
    }
    return Execution.objects.create(**values)


def unit(execution_: Execution, organisation: Organisation, **task_fields: Any) -> AnalysisUnit:
    """A unit of a task of `organisation` that `execution_` serves."""
    task = AnalysisTask.objects.create(
        name="任务", organisation=organisation, plan=factories.plan(organisation), **task_fields
    )
    return AnalysisUnit.objects.create(
        task=task, camera=execution_.camera, version=execution_.version, execution=execution_
    )


def hit(
    execution_: Execution, seconds: float = 0, *, box: list[float] | None = None, **fields: Any
) -> NewRawEvent:
    """A hit at NOON + `seconds` with one target."""
    score = fields.pop("score", 0.9)
    target = {"label": "bag", "score": score, "box": box or BOX, "track": None, "attributes": {}}
    values = {
        "execution_id": execution_.pk,
        "item": "object.left",
        "time": NOON + timedelta(seconds=seconds),
        "targets": [target],
        **fields,
    }
    return NewRawEvent(**values)


def raw_event(execution_: Execution | None = None, seconds: float = 0, **fields: Any) -> RawEvent:
    """A stored raw event."""
    [identifier] = record_raw_events([hit(execution_ or execution(), seconds, **fields)])
    return RawEvent.objects.get(pk=identifier)


def event_type(**fields: Any) -> EventType:
    """An event type."""
    return factories.event_type(**fields)


def event(
    execution_: Execution | None = None, seconds: float = 0, *, now: bool = False, **fields: Any
) -> Event:
    """A raised event; `now` puts its frame at this moment, so that it has not expired."""
    hit_fields = {"time": clock.now() + timedelta(seconds=seconds)} if now else {}
    raw = raw_event(execution_, seconds, **hit_fields, **fields)
    return raise_event(raw=raw, decision=Decision(window_s=60))
