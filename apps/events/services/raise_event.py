"""A raw event becomes an event."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.algorithms.choices import ReviewPolicy
from apps.algorithms.models import EventType
from apps.analysis.models import AnalysisUnit, Execution, Scene
from apps.core import clock
from apps.core.errors import Refusal
from apps.events.choices import Phase, ReviewState
from apps.events.models import Event, EventAudience, RawEvent
from apps.events.services.close_ended import end_before
from apps.events.services.tell import tell

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


@transaction.atomic
def raise_event(*, raw: RawEvent, decision: Decision) -> Event:
    """The event of this raw event, made once however often it is called; tells of it only the first time.

    Raises Refusal (code `unmapped_item`) for a raw event without event type.
    """
    existing = Event.objects.filter(raw_event_id=raw.pk).first()
    if existing is not None:
        return existing
    if raw.event_type_id is None:
        raise Refusal("unmapped_item", _("The detection item has no accepted event type."))
    kind = raw.event_type
    assert kind is not None
    recurrence = _recurrence(raw)
    try:
        with transaction.atomic():
            event = Event.objects.create(**_values(raw, kind, decision), recurrence_of=recurrence)
    except IntegrityError:
        return Event.objects.get(raw_event_id=raw.pk)
    EventAudience.objects.bulk_create(
        [EventAudience(event=event, organisation_id=organisation) for organisation in raw.organisations]
    )
    tell(event, kind="raised", phase=Phase.NEW)
    return event


def _values(raw: RawEvent, kind: EventType, decision: Decision) -> dict[str, Any]:
    window = timedelta(seconds=decision.window_s or DEFAULT_WINDOW_S)
    return {
        "event_type": kind,
        "level": kind.level,
        "camera": raw.camera,
        "preset": raw.preset,
        "time": raw.time,
        "first_seen": raw.time,
        "last_seen": raw.time,
        "open_until": open_until(raw.time, window),
        "expires_at": raw.time + timedelta(minutes=kind.validity_minutes),
        "targets": raw.targets,
        "score": raw.score,
        "capture_id": raw.capture_id,
        "algorithm_version_id": UUID(raw.context["version"]),
        "address": _address(raw),
        "raw_event_id": raw.pk,
        "explanation": _explanation(raw, decision, window),
        "review_state": _review_state(raw, kind),
    }


def open_until(seen: datetime, window: timedelta) -> datetime:
    """By the wall clock, so that an analysis of old recordings does not end its events while it still runs."""
    return max(seen, clock.now()) + window


def _review_state(raw: RawEvent, kind: EventType) -> ReviewState:
    if kind.review_policy == ReviewPolicy.DIRECT:
        return ReviewState.NOT_REQUIRED
    if kind.review_policy == ReviewPolicy.SAMPLED and zlib.crc32(raw.pk.bytes) % SAMPLE_ONE_IN:
        return ReviewState.NOT_REQUIRED
    return ReviewState.PENDING


def _address(raw: RawEvent) -> str:
    scene = Scene.objects.filter(camera_id=raw.camera_id, preset=raw.preset).exclude(address="").first()
    return scene.address if scene else raw.camera.address


def _explanation(raw: RawEvent, decision: Decision, window: timedelta) -> dict[str, Any]:
    units = AnalysisUnit.objects.filter(pk__in=raw.units).select_related("task")
    tasks = {str(unit.task_id): unit.task for unit in units}
    execution = Execution.objects.filter(pk=raw.execution_id).select_related("version__algorithm").first()
    version = execution.version if execution else None
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
        "requisitions": sorted({t.requisition_reference for t in tasks.values() if t.requisition_reference}),
        "capture": _text(raw.capture_id),
        "slot": _text(raw.slot_id),
        "merge_window_s": window.total_seconds(),
    }


def _text(identifier: UUID | None) -> str | None:
    return str(identifier) if identifier else None


def _recurrence(raw: RawEvent) -> Event | None:
    """The last event of this kind here that had ended when the frame was taken."""
    end_before(raw)
    here = Event.objects.filter(camera_id=raw.camera_id, preset=raw.preset, event_type_id=raw.event_type_id)
    return here.filter(ended_at__isnull=False, last_seen__lt=raw.time).order_by("-last_seen").first()
