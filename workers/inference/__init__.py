"""Queues `inference.*`: captured slots go to the node's engine, its answers to the writer."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import connection

from apps.analysis.choices import ExecutionState
from apps.analysis.models import CaptureSlot, Execution
from apps.analysis.services import lease_for_inference, release, send_back
from workers.capture import shared
from workers.capture.frames import FrameStore, look_of
from workers.inference import elsewhere
from workers.process import queues
from workers.process.poison import MOST_CRASHES, is_again
from workers.vision.engine_client import EngineClient, EngineError, EngineUnavailable, wait_for_engine
from workers.vision.rendition import ImageRefused, image_size
from workers.writer.results import FrameResults, not_analysed, push

logger = logging.getLogger(__name__)
ENGINE_SECONDS = 90.0
ENGINE_RESTART = 20.0
SUSPECTS = 7_310
"""Advisory lock: slots under which an engine ended are tried one at a time."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_client: EngineClient | None = None


@shared_task(bind=True, queue="inference.cpu", name="inference.slots")
def infer_slots(self: Any, slot_ids: list[str], swept: bool = False, crashes: int = 0) -> None:
    """Analyse these slots. May run twice: results are keyed, and a repeated frame gets the same answer.

    `swept`: the planner's sweep found that nobody works on them. A message that comes again had its process die
    under it; its slots then come one by one, and the one that keeps killing is given up after MOST_CRASHES.
    """
    ids = [UUID(text) for text in slot_ids]
    if is_again(self):
        one_by_one(self, ids, crashes + 1)
        return
    slots = lease_for_inference(ids, again=swept or crashes > 0)
    if crashes >= MOST_CRASHES:
        give_up(slots, "analysis_crashed")
    elif crashes and slots:
        suspect(self, slots, crashes)
    elif slots and not analyse(slots):
        one_by_one(self, ids, 1)


def one_by_one(task: Any, ids: list[UUID], crashes: int) -> None:
    """Each slot in a message of its own, on the queue this one came from."""
    name = str((task.request.delivery_info or {}).get("routing_key") or queues.CPU)
    for one in ids:
        infer_slots.apply_async(([str(one)], True, crashes), queue=queues.named(name))


def give_up(slots: list[CaptureSlot], reason: str) -> None:
    """Put slots aside whose analysis ends the process that does it."""
    for slot in slots:
        logger.error(
            "slot %s of camera %s: %s %d times, given up", slot.pk, slot.camera_id, reason, MOST_CRASHES
        )
    push(
        _frame_results(slot, [not_analysed(execution, reason) for execution in _open(slot)]) for slot in slots
    )


def suspect(task: Any, slots: list[CaptureSlot], crashes: int) -> None:
    """Analyse what may have ended the engine: nothing else of that kind at the same time, and only with an engine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [SUSPECTS])
        try:
            wait_for_engine(settings.VANTAGE_ENGINE_SOCKET, ENGINE_RESTART)
            if analyse(slots):
                return
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [SUSPECTS])
    if crashes + 1 >= MOST_CRASHES:
        give_up(slots, "engine_crashed")
    else:
        one_by_one(task, [slot.pk for slot in slots], crashes + 1)


def engine() -> EngineClient:
    """This process's connection to the node's engine."""
    global _client
    if _client is None or _client.path != settings.VANTAGE_ENGINE_SOCKET:
        _client = EngineClient(settings.VANTAGE_ENGINE_SOCKET, timeout=ENGINE_SECONDS)
    return _client


def analyse(slots: list[CaptureSlot]) -> bool:
    """One request for the whole batch. Engine away: the slots stay open and come again within their time.

    False where the engine ended in the middle: one of these may be the cause.
    """
    wanted = {execution for slot in slots for execution in slot.executions}
    specs = {
        row.pk: row.spec
        for row in Execution.objects.filter(pk__in=wanted).exclude(state=ExecutionState.STOPPED)
    }
    ready, answers = [], []
    for slot in slots:
        if is_here(slot) or fetch(slot):
            ready.append(slot)
        else:
            answers += _lost(slot)
    items = [_item(slot, specs) for slot in ready]
    try:
        results = engine().analyse(items) if items else []
    except EngineUnavailable as error:
        logger.warning("inference of %d slots waits: %s", len(ready), error)
        push(answers)
        if error.went_away:
            return False
        release(ready)
        return True
    except EngineError as error:
        logger.error("engine refused a batch: %s", error)
        results = [
            [not_analysed(e["execution"], "engine_error") for e in item["executions"]] for item in items
        ]
    moved: list[tuple[CaptureSlot, str]] = []
    for slot, found in zip(ready, results, strict=True):
        stand, queue = elsewhere.leave(slot, found, specs)
        if queue:
            moved.append((slot, queue))
        if stand or not queue:
            answers.append(_frame_results(slot, _with_ended(slot, specs, stand)))
    push(answers)
    for slot, queue in moved:
        infer_slots.apply_async(([str(slot.pk)], True), expires=60, queue=queues.named(queue))
    return True


def is_here(slot: CaptureSlot) -> bool:
    """The frame lies in this node's store."""
    return bool(slot.frame) and slot.node == settings.VANTAGE_NODE and Path(slot.frame).is_file()


def fetch(slot: CaptureSlot) -> bool:
    """Take a frame that another node lent into this node's store; `slot.frame` then names it, in memory only."""
    try:
        data = shared.get(slot.pk) if slot.frame and slot.node != settings.VANTAGE_NODE else None
    except Exception as error:
        logger.warning("frame of slot %s not fetched: %s", slot.pk, type(error).__name__)
        return False
    if data is None:
        return False
    slot.frame = str(FrameStore().keep(data, slot.pk))
    return True


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
