"""One batch of results into PostgreSQL, in one transaction; the same batch again changes nothing."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.analysis.services import AnalysisResult, record_results
from apps.core.trace import trace_of
from apps.devices.services import NewCapture, record_captures
from apps.events.services import NewRawEvent, record_raw_events
from workers.capture.frames import FrameStore
from workers.writer import lent
from workers.writer.results import FrameResults

logger = logging.getLogger(__name__)


def write_batch(batch: list[FrameResults], store: FrameStore | None = None) -> int:
    """Write; afterwards delete the frames nobody needs any more. Returns how many raw events were new."""
    store = store or FrameStore()
    with lent.pictures(batch, store) as present:
        return _write(present, store)


def _write(batch: list[FrameResults], store: FrameStore) -> int:
    with transaction.atomic():
        kept = record_captures([_capture(item) for item in batch if item.has_hits and item.frame])
        captures = {
            _place(item): _capture(item).id
            for item in batch
            if item.has_hits and item.frame and kept.get(_capture(item).id)
        }
        results = [
            _result(item, answer, captures.get(_place(item))) for item in batch for answer in item.results
        ]
        recorded = record_results(results)
        hits = [
            hit
            for item in batch
            for answer in item.results
            if answer["hits"] and recorded.is_new(_result(item, answer, None))
            for hit in _raw_events(item, answer, captures.get(_place(item)))
        ]
        new = record_raw_events(hits)
    if logger.isEnabledFor(logging.DEBUG):
        _log(batch)
    finished = set(recorded.finished)
    for item in batch:
        if item.frame and (item.slot is None or item.slot in finished):
            store.delete(item.frame)
    return len(new)


def _log(batch: list[FrameResults]) -> None:
    for item in batch:
        ids = {"trace": trace_of(item.camera, item.preset, item.time), "camera": item.camera}
        if item.slot is not None:
            ids["slot"] = item.slot
        outcome = "hit" if item.has_hits else "no hit"
        logger.debug("results written", extra={**ids, "outcome": outcome})


def _place(item: FrameResults) -> tuple[Any, ...]:
    return item.camera, item.preset, item.time


def _capture(item: FrameResults) -> NewCapture:
    return NewCapture(item.camera, item.preset, item.time, item.frame, item.width, item.height)


def _result(item: FrameResults, answer: dict[str, Any], capture: UUID | None) -> AnalysisResult:
    return AnalysisResult(
        execution_id=UUID(answer["execution"]),
        time=item.time,
        outcome=answer["outcome"],
        reason=answer.get("reason", ""),
        slot_id=item.slot,
        milliseconds=round(sum((answer.get("timings") or {}).values()), 1),
        capture_id=capture if answer["hits"] else None,
    )


def _raw_events(item: FrameResults, answer: dict[str, Any], capture: UUID | None) -> list[NewRawEvent]:
    return [
        NewRawEvent(
            execution_id=UUID(answer["execution"]),
            item=hit["item"],
            time=item.time,
            targets=hit["targets"],
            ordinal=hit["ordinal"],
            capture_id=capture,
            slot_id=item.slot,
            context={
                "timings": answer.get("timings") or {},
                "answered_at": datetime.fromtimestamp(item.answered, UTC).isoformat(),
                "width": item.width,
                "height": item.height,
            },
        )
        for hit in answer["hits"]
    ]
