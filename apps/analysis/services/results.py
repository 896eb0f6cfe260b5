"""What analyses yielded: into the slot, the hourly counters and the execution's last result; each only once."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from apps.analysis.choices import Outcome, SlotState
from apps.analysis.models import CaptureSlot, Execution
from apps.analysis.services.slots import overdue
from apps.core.ids import uuid7

COUNTERS = {Outcome.HIT: "hits", Outcome.CLEAR: "clears", Outcome.NOT_ANALYSED: "not_analysed"}


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """One execution on one frame. `slot_id` is None for a live frame; `capture_id` is the kept picture of a hit."""

    execution_id: UUID
    time: datetime
    outcome: str
    reason: str = ""
    slot_id: UUID | None = None
    milliseconds: float = 0.0
    capture_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """Results that were new, and the frames no longer needed."""

    fresh: frozenset[tuple[UUID, UUID | None, datetime]]
    finished: tuple[UUID, ...]

    def is_new(self, result: AnalysisResult) -> bool:
        """False for a result that was recorded before."""
        return (result.execution_id, result.slot_id, result.time) in self.fresh


def _key(result: AnalysisResult) -> tuple[UUID, UUID | None, datetime]:
    return result.execution_id, result.slot_id, result.time


@transaction.atomic
def record_results(batch: Iterable[AnalysisResult]) -> Recorded:
    """Record a batch in one transaction; a result that is already there changes nothing."""
    results = list(batch)
    fresh, finished = _write_slots([item for item in results if item.slot_id is not None])
    fresh += _newer([item for item in results if item.slot_id is None])
    _count(fresh)
    _remember_last(fresh)
    return Recorded(frozenset(_key(item) for item in fresh), tuple(finished))


def _write_slots(results: list[AnalysisResult]) -> tuple[list[AnalysisResult], list[UUID]]:
    by_slot: dict[UUID, list[AnalysisResult]] = defaultdict(list)
    for item in results:
        if item.slot_id is not None:
            by_slot[item.slot_id].append(item)
    rows = CaptureSlot.objects.filter(pk__in=by_slot).order_by("id").select_for_update()
    fresh: list[AnalysisResult] = []
    finished: list[UUID] = []
    changed = []
    for row in rows:
        for item in by_slot[row.pk]:
            name = str(item.execution_id)
            if name in row.results or item.execution_id not in row.executions:
                continue
            row.results[name] = {"outcome": item.outcome, "reason": item.reason, "ms": item.milliseconds}
            row.capture_id = row.capture_id or item.capture_id
            fresh.append(item)
        row.open = sum(str(execution) not in row.results for execution in row.executions)
        if row.open == 0:
            finished.append(row.pk)
            row.lease_until = None
        changed.append(row)
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE analysis_captureslot SET results = %s::jsonb, open = %s, lease_until = %s, capture_id = %s "
            "WHERE id = %s",
            [(json.dumps(row.results), row.open, row.lease_until, row.capture_id, row.pk) for row in changed],
        )
    return fresh, finished


def _newer(results: list[AnalysisResult]) -> list[AnalysisResult]:
    """Live results later than the execution's last one: a batch that comes twice is counted once."""
    last = dict(
        Execution.objects.filter(pk__in={item.execution_id for item in results})
        .order_by("id")
        .select_for_update()
        .values_list("pk", "last_result_at")
    )
    fresh = []
    for item in sorted(results, key=lambda one: one.time):
        if item.execution_id not in last:
            continue
        before = last[item.execution_id]
        if before is None or item.time > before:
            fresh.append(item)
            last[item.execution_id] = item.time
    return fresh


def _count(results: list[AnalysisResult]) -> None:
    counts: dict[tuple[UUID, datetime], Counter[str]] = defaultdict(Counter)
    reasons: dict[tuple[UUID, datetime], Counter[str]] = defaultdict(Counter)
    for item in results:
        key = (item.execution_id, item.time.replace(minute=0, second=0, microsecond=0))
        counts[key][COUNTERS[Outcome(item.outcome)]] += 1
        if item.reason:
            reasons[key][item.reason] += 1
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO analysis_executionhour AS h (id, execution_id, hour, hits, clears, not_analysed, reasons) "
            "SELECT %s, e.id, %s, %s, %s, %s, %s::jsonb FROM analysis_execution e WHERE e.id = %s "
            "ON CONFLICT (execution_id, hour) DO UPDATE SET hits = h.hits + excluded.hits, "
            "clears = h.clears + excluded.clears, not_analysed = h.not_analysed + excluded.not_analysed, "
            "reasons = COALESCE((SELECT jsonb_object_agg(u.key, u.total) FROM (SELECT key, sum(value::int) AS total "
            "FROM (SELECT * FROM jsonb_each_text(h.reasons) UNION ALL SELECT * FROM jsonb_each_text(excluded.reasons)) "
            "AS both_sides GROUP BY key) AS u), '{}'::jsonb)",
            [
                (
                    uuid7(),
                    hour,
                    number["hits"],
                    number["clears"],
                    number["not_analysed"],
                    json.dumps(reasons[(execution, hour)]),
                    execution,
                )
                for (execution, hour), number in sorted(counts.items(), key=lambda pair: str(pair[0]))
            ],
        )


def _remember_last(results: list[AnalysisResult]) -> None:
    latest: dict[UUID, AnalysisResult] = {}
    for item in results:
        before = latest.get(item.execution_id)
        if before is None or item.time >= before.time:
            latest[item.execution_id] = item
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE analysis_execution SET last_outcome = %s, last_reason = %s, last_result_at = %s "
            "WHERE id = %s AND (last_result_at IS NULL OR last_result_at <= %s)",
            [
                (item.outcome, item.reason[:64], item.time, item.execution_id, item.time)
                for _, item in sorted(latest.items())
            ],
        )


@transaction.atomic
def close_overdue(now: datetime, grace: timedelta) -> list[str]:
    """The sweep's end of a slot: what was not looked at by now says so. Returns frames that may be deleted."""
    frames: list[str] = []
    results: list[AnalysisResult] = []
    slots = overdue(now, grace)
    if not slots:
        return frames
    for slot in slots:
        reason = _closing_reason(slot)
        if slot.state in {SlotState.PLANNED, SlotState.LEASED}:
            claimed = CaptureSlot.objects.filter(pk=slot.pk, fence=slot.fence, state=slot.state).update(
                state=SlotState.NOT_CAPTURED, reason=reason, lease_until=None, fence=F("fence") + 1
            )
            if not claimed:
                continue
        if slot.frame:
            frames.append(slot.frame)
        results += [
            AnalysisResult(
                execution_id=execution,
                time=slot.captured_at or slot.planned_at,
                outcome=Outcome.NOT_ANALYSED,
                reason=reason,
                slot_id=slot.pk,
            )
            for execution in slot.executions
            if str(execution) not in slot.results
        ]
    record_results(results)
    return frames


def _closing_reason(slot: CaptureSlot) -> str:
    if slot.state == SlotState.NOT_CAPTURED:
        return slot.reason
    if slot.state == SlotState.CAPTURED:
        return "analysis_late"
    return "no_worker" if slot.attempts == 0 else "worker_lost"
