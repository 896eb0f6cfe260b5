"""Queue `capture`: slots that are due become pictures in the frame store, then go to inference."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings

from apps.analysis.choices import ExecutionState
from apps.analysis.models import CaptureSlot, Execution, Scene
from apps.analysis.services import lease_for_capture, mark_captured, mark_not_captured, release
from apps.core import clock
from apps.core.outbound.settings import camera_policy
from apps.core.trace import trace_of
from apps.devices.models import Camera, Stream
from apps.devices.services import open_stream_url, set_cover, source_options
from workers.capture import shared
from workers.capture.frames import FrameStore
from workers.capture.health import report_fault, report_picture
from workers.capture.shots import Shot, Taken, take
from workers.inference import infer_slots
from workers.process import queues
from workers.process.drain import is_draining
from workers.process.poison import MOST_CRASHES, is_again
from workers.writer.keeper import keep_in_background
from workers.writer.results import FrameResults, not_analysed, push

logger = logging.getLogger(__name__)
THREADS = 8
FLUSH_SECONDS = 0.05
FLUSH_SLOTS = 32
COVER_EVERY = timedelta(seconds=10)
MOST_SECONDS = 20.0
DRAIN_SECONDS = 2.0
"""What is under way when the worker is told to end gets that long; the rest goes back at once."""


@shared_task(bind=True, queue="capture", name="capture.slots")
def capture_slots(self: Any, slot_ids: list[str], crashes: int = 0) -> None:
    """Capture these slots. May run twice: a slot is taken by its lease and written under its fence.

    A message that comes again had its process die under it: its slots then come one by one, so that the one that
    kills processes takes no other with it, and after MOST_CRASHES that one is given up.
    """
    keep_in_background()  # covers are written here
    ids = [UUID(text) for text in slot_ids]
    if is_again(self):
        for one in ids:
            capture_slots.apply_async(([str(one)], crashes + 1), expires=60)
        return
    slots = lease_for_capture(ids, node=settings.VANTAGE_NODE, again=crashes > 0)
    if crashes >= MOST_CRASHES:
        for slot in slots:
            logger.error(
                "slot %s of camera %s crashed %d captures: given up", slot.pk, slot.camera_id, crashes
            )
            _give_up(slot, "capture_crashed")
    elif slots:
        run_batch(slots)


def run_batch(slots: list[CaptureSlot]) -> None:
    """Open the sources side by side, at most THREADS at once; hand pictures on as they come."""
    cameras = Camera.objects.in_bulk({slot.camera_id for slot in slots})
    shots, refused = _shots(slots, cameras)
    by_id = {slot.pk: slot for slot in slots}
    for slot, reason in refused:
        _give_up(slot, reason)
    store, policy = FrameStore(), camera_policy()
    held = held_cameras(cameras)
    ready: list[CaptureSlot] = []
    flushed = time.monotonic()
    pool = ThreadPoolExecutor(min(THREADS, len(shots)) or 1, thread_name_prefix="capture")
    try:
        open_ = {shot.slot for shot in shots}
        futures = [pool.submit(take, shot, policy, store, settings.VANTAGE_LIVE_SOCKET) for shot in shots]
        for taken in _as_they_come(futures):
            if taken is not None:
                open_.discard(taken.shot.slot)
                if taken.shot.camera not in held:
                    _report(cameras[taken.shot.camera], taken)
                if _finish(by_id[taken.shot.slot], taken, store):
                    ready.append(by_id[taken.shot.slot])
            late = time.monotonic() - flushed >= FLUSH_SECONDS
            if ready and (taken is None or late or len(ready) >= FLUSH_SLOTS):
                _hand_on(ready)
                ready, flushed = [], time.monotonic()
        _hand_on(ready)
        if open_:
            logger.info("capture ends: %d slots go back", len(open_))
            release([by_id[slot] for slot in open_], seconds=0.0)
    finally:
        pool.shutdown(wait=not is_draining(), cancel_futures=True)


def _as_they_come(futures: Iterable[Future[Taken]]) -> Iterator[Taken | None]:
    """Finished ones in order of finishing; None whenever FLUSH_SECONDS passed without one.

    Ends early, leaving the rest, DRAIN_SECONDS after the worker was told to end.
    """
    pending, ends = set(futures), float("inf")
    while pending:
        done, pending = wait(pending, timeout=FLUSH_SECONDS, return_when=FIRST_COMPLETED)
        if not done:
            yield None
        for future in done:
            yield future.result()
        if is_draining():
            ends = min(ends, time.monotonic() + DRAIN_SECONDS)
            pending = {future for future in pending if not future.cancel()}
            if time.monotonic() >= ends:
                return


def _shots(
    slots: list[CaptureSlot], cameras: dict[UUID, Camera]
) -> tuple[list[Shot], list[tuple[CaptureSlot, str]]]:
    streams: dict[UUID, Stream] = {}
    for stream in Stream.objects.filter(camera_id__in=cameras).order_by("role"):
        streams[stream.camera_id] = (
            stream  # main sorts before sub: analysis takes the sub stream where there is one
        )
    masks = {
        (scene.camera_id, scene.preset): scene.privacy_masks
        for scene in Scene.objects.filter(camera_id__in=cameras).exclude(privacy_masks=[])
    }
    moment, shots, refused = clock.now(), [], []
    for slot in slots:
        camera, found = cameras.get(slot.camera_id), streams.get(slot.camera_id)
        if camera is None or not camera.is_enabled:
            refused.append((slot, "camera_disabled"))
        elif found is None:
            refused.append((slot, "no_stream"))
        else:
            try:
                url = open_stream_url(found)
            except ValueError:
                refused.append((slot, "credentials_unreadable"))
                continue
            left = min(MOST_SECONDS, (slot.deadline - moment).total_seconds())
            place = (slot.camera_id, slot.preset)
            options = source_options(found)
            shots.append(Shot(slot.pk, *place, url, options, masks.get(place, ()), left))
    return shots, refused


def held_cameras(cameras: Iterable[UUID]) -> set[UUID]:
    """Cameras whose stream a node holds: their state and health are the holder's to report."""
    live = Execution.objects.filter(camera_id__in=list(cameras), lease_until__gt=clock.now())
    states = (ExecutionState.ASSIGNED, ExecutionState.RUNNING, ExecutionState.RETRYING)
    return set(live.exclude(node="").filter(state__in=states).values_list("camera_id", flat=True))


def _report(camera: Camera, taken: Taken) -> None:
    """State, findings and cover of the camera."""
    if taken.frame is not None and taken.at is not None and taken.path is not None:
        report_picture(camera, taken.shot.preset, taken.frame)
        if camera.cover_at is None or taken.at - camera.cover_at >= COVER_EVERY:
            set_cover(camera.pk, taken.path, taken.at)
            camera.cover_at = taken.at
    elif taken.fault:
        report_fault(camera, taken.reason)


def _finish(slot: CaptureSlot, taken: Taken, store: FrameStore) -> bool:
    """Write down what came; True when the picture goes to inference."""
    if taken.reason or taken.path is None or taken.at is None:
        if taken.path is not None:
            store.delete(taken.path)
        _give_up(slot, taken.reason or "capture_error")
        return False
    kept = mark_captured(slot, frame=str(taken.path), node=settings.VANTAGE_NODE, captured_at=taken.at)
    if kept and logger.isEnabledFor(logging.DEBUG):
        trace = trace_of(slot.camera_id, slot.preset, taken.at)
        logger.debug("captured", extra={"trace": trace, "slot": slot.pk, "camera": slot.camera_id})
    if not kept:  # another worker took the lease over; the path is the slot's, so its picture stays
        logger.info("slot %s was taken over", slot.pk)
    return kept


def _give_up(slot: CaptureSlot, reason: str) -> None:
    if not mark_not_captured(slot, reason):
        return
    results = [
        not_analysed(execution, reason) for execution in slot.executions if str(execution) not in slot.results
    ]
    push([FrameResults(slot.pk, slot.camera_id, slot.preset, slot.planned_at, "", 0, 0, results)])


def _hand_on(ready: list[CaptureSlot]) -> None:
    """To the analysis of this node; where the package needs a GPU that this node lacks, to a node that has one."""
    if not ready:
        return
    try:
        for kind, slots in queues.kinds_of(ready).items():
            away = kind == queues.GPU and not queues.has_gpu()
            if away:
                shared.share(slots)
            queue = kind if away else queues.of_node(kind, settings.VANTAGE_NODE)
            infer_slots.apply_async(([str(slot.pk) for slot in slots],), queue=queue)
    except Exception as error:  # the sweep finds captured slots without results
        logger.warning("inference of %d slots not sent: %s", len(ready), type(error).__name__)
