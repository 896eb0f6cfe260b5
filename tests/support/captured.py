"""Captured slots that wait for analysis, sent and decided."""

from __future__ import annotations

from datetime import timedelta

from apps.analysis.models import CaptureSlot, Execution
from apps.analysis.planner.heap import slot_id
from apps.analysis.services import PlannedSlot, lease_for_capture, mark_captured, write_slots
from apps.core import clock
from tests.support import factories
from tests.support.analysis import builtin_version, executions_of, running_task
from tests.support.poisoned_engine import picture
from tests.support.waiting import until
from workers.capture.frames import FrameStore
from workers.inference import infer_slots
from workers.vision.frames import Frame
from workers.writer import Writer

BATCH = 4


def captured(executions: list[Execution], node: str, deadly: int | None = None, late: float = 0) -> list[str]:
    """One captured slot for each of these; the picture of number `deadly` is the poison."""
    now = clock.now().replace(microsecond=0) + timedelta(seconds=late)
    ids = []
    for number, one in enumerate(executions):
        identifier = slot_id(one.camera_id, 0, now)
        deadline = now + timedelta(seconds=600)
        write_slots([PlannedSlot(identifier, one.camera_id, 0, now, deadline, (one.pk,))])
        path = FrameStore().write(Frame(picture(deadly=number == deadly), now), identifier)
        (slot,) = lease_for_capture([identifier], node=node)
        assert mark_captured(slot, frame=str(path), node=node, captured_at=now)
        ids.append(str(identifier))
    return ids


def executions(number: int, analyser: str) -> list[Execution]:
    home = factories.organisation()
    cameras = [factories.camera(home, address=f"http://10.0.0.{index}/a") for index in range(1, number + 1)]
    return executions_of(running_task(home, cameras, [builtin_version(analyser)], interval=60))


def send(ids: list[str]) -> None:
    for start in range(0, len(ids), BATCH):
        infer_slots.apply_async((ids[start : start + BATCH],))


def decided(seconds: float) -> None:
    """Write what comes until no slot is open."""
    writer = Writer()

    def step() -> bool:
        writer.step(idle=0.1)
        return not CaptureSlot.objects.filter(open__gt=0).exists()

    until(step, seconds, "all slots to be decided")
