"""Queue `inference.cpu`: captured slots go to the node's engine, its answers to the writer."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings

from apps.analysis.choices import ExecutionState
from apps.analysis.models import CaptureSlot, Execution
from apps.analysis.services import lease_for_inference, release, send_back
from workers.capture.frames import look_of
from workers.vision.engine_client import EngineClient, EngineError, EngineUnavailable
from workers.vision.rendition import ImageRefused, image_size
from workers.writer.results import FrameResults, not_analysed, push

logger = logging.getLogger(__name__)
ENGINE_SECONDS = 90.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_client: EngineClient | None = None


@shared_task(bind=True, queue="inference.cpu", name="inference.slots")
def infer_slots(self: Any, slot_ids: list[str], swept: bool = False) -> None:
    """Analyse these slots. May run twice: results are keyed, and a repeated frame gets the same answer.

    `swept`: the planner's sweep found that nobody works on them.
    """
    again = swept or bool((self.request.delivery_info or {}).get("redelivered"))
    slots = lease_for_inference([UUID(text) for text in slot_ids], again=again)
    if slots:
        analyse(slots)


def engine() -> EngineClient:
    """This process's connection to the node's engine."""
    global _client
    if _client is None or _client.path != settings.VANTAGE_ENGINE_SOCKET:
        _client = EngineClient(settings.VANTAGE_ENGINE_SOCKET, timeout=ENGINE_SECONDS)
    return _client


def analyse(slots: list[CaptureSlot]) -> None:
    """One request for the whole batch. Engine away: the slots stay open and come again within their time."""
    wanted = {execution for slot in slots for execution in slot.executions}
    specs = {
        row.pk: row.spec
        for row in Execution.objects.filter(pk__in=wanted).exclude(state=ExecutionState.STOPPED)
    }
    ready, answers = [], []
    for slot in slots:
        if not is_here(slot):
            answers += _lost(slot)
            continue
        ready.append(slot)
    items = [_item(slot, specs) for slot in ready]
    try:
        results = engine().analyse(items) if items else []
    except EngineUnavailable as error:
        logger.warning("inference of %d slots waits: %s", len(ready), error)
        release(ready)
        results = None
    except EngineError as error:
        logger.error("engine refused a batch: %s", error)
        results = [
            [not_analysed(e["execution"], "engine_error") for e in item["executions"]] for item in items
        ]
    for slot, found in zip(ready, results or [], strict=False):
        answers.append(_frame_results(slot, _with_ended(slot, specs, found)))
    push(answers)


def is_here(slot: CaptureSlot) -> bool:
    """The frame lies in this node's store. (A frame of another node comes through the shared frame store one day.)"""
    return bool(slot.frame) and slot.node == settings.VANTAGE_NODE and Path(slot.frame).is_file()


def _open(slot: CaptureSlot) -> list[UUID]:
    return [execution for execution in slot.executions if str(execution) not in slot.results]


def _item(slot: CaptureSlot, specs: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    assert slot.captured_at is not None
    return {
        "frame": {
            "path": slot.frame,
            "look": str(look_of(slot.frame)),
            "time_us": (slot.captured_at - _EPOCH) // timedelta(microseconds=1),
            "camera": str(slot.camera_id),
            "preset": slot.preset,
        },
        "executions": [specs[execution] for execution in _open(slot) if execution in specs],
    }


def _with_ended(
    slot: CaptureSlot, specs: dict[UUID, dict[str, Any]], found: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    ended = [
        not_analysed(execution, "execution_ended") for execution in _open(slot) if execution not in specs
    ]
    return [*found, *ended]


def _lost(slot: CaptureSlot) -> list[FrameResults]:
    if send_back(slot):
        return []
    return [_frame_results(slot, [not_analysed(execution, "frame_lost") for execution in _open(slot)])]


def _frame_results(slot: CaptureSlot, results: list[dict[str, Any]]) -> FrameResults:
    width = height = 0
    if any(result["hits"] for result in results):
        width, height = _size(slot.frame)
    return FrameResults(
        slot.pk,
        slot.camera_id,
        slot.preset,
        slot.captured_at or slot.planned_at,
        slot.frame,
        width,
        height,
        results,
    )


def _size(path: str) -> tuple[int, int]:
    try:
        width, height, _kind = image_size(Path(path).read_bytes())
    except (OSError, ImageRefused):
        return 0, 0
    return width, height
