"""From a due slot to a raw event: a real stream on loopback, the real socket, the real list, the real writer."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.analysis.models import CaptureSlot, Execution, ExecutionHour, Scene
from apps.analysis.planner.heap import slot_id
from apps.analysis.services import PlannedSlot, lease_for_capture, lease_for_inference, write_slots
from apps.core import clock
from apps.core.models import ProcessLease
from apps.devices.models import Camera, Capture
from apps.events.models import RawEvent
from tests.support import factories
from tests.support.analysis import ITEM, builtin_version, executions_of, running_task
from tests.support.engine import clear, hit, scripted_engine
from tests.support.http_camera import HttpCamera
from workers.capture import run_batch
from workers.inference import analyse
from workers.writer import Writer
from workers.writer.results import FrameResults, recover, take_batch, waiting
from workers.writer.store import write_batch

pytestmark = pytest.mark.django_db


class Road:
    """One camera, one task, one slot that is due."""

    def __init__(self, address: str) -> None:
        self.home = factories.organisation()
        self.camera = factories.camera(self.home, address=address)
        self.task = running_task(self.home, [self.camera], [builtin_version()], interval=10)
        self.execution = executions_of(self.task)[0]

    def slot(self, **changes: Any) -> CaptureSlot:
        now = clock.now()
        values = {"deadline": now + timedelta(seconds=20), **changes}
        at = now.replace(microsecond=0)
        planned = PlannedSlot(
            slot_id(self.camera.pk, 0, at),
            self.camera.pk,
            0,
            at,
            values["deadline"],
            (self.execution.pk,),
        )
        write_slots([planned])
        return CaptureSlot.objects.get(pk=planned.id)

    def capture(self, slot: CaptureSlot) -> CaptureSlot:
        run_batch(lease_for_capture([slot.pk], node="node-1"))
        slot.refresh_from_db()
        return slot

    def infer(self, slot: CaptureSlot, *, again: bool = True) -> None:
        analyse(lease_for_inference([slot.pk], again=again))


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What captures hand on is remembered instead of sent."""
    sent: list[list[str]] = []
    monkeypatch.setattr(
        "workers.capture.infer_slots.apply_async", lambda args, **options: sent.append(args[0])
    )
    return sent


@pytest.fixture
def road(http_camera: HttpCamera) -> Road:
    return Road(http_camera.url("/live.ts"))


def test_a_hit_becomes_one_raw_event_with_its_picture(road: Road, settings: Any, no_broker: list) -> None:
    slot = road.capture(road.slot())
    assert (slot.state, slot.reason, slot.attempts) == ("captured", "", 0)
    assert no_broker == [[str(slot.pk)]]
    frame = Path(slot.frame)
    assert frame.is_file()
    assert frame.parent.stat().st_mode & 0o777 == 0o700
    with scripted_engine(
        settings.VANTAGE_ENGINE_SOCKET, lambda _frame, spec: hit(spec["execution"], ITEM)
    ) as engine:
        road.infer(slot)
    assert engine.frames[0].path == frame
    assert Writer().step(idle=0.1) == 1
    slot.refresh_from_db()
    raw = RawEvent.objects.get()
    capture = Capture.objects.get()
    assert (slot.open, slot.capture_id, raw.capture_id) == (0, capture.pk, capture.pk)
    assert (raw.slot_id, raw.time, raw.execution_id) == (slot.pk, slot.captured_at, road.execution.pk)
    assert (capture.width, capture.height) == (320, 180)
    assert (Path(settings.MEDIA_ROOT) / capture.path).is_file()
    assert not frame.exists()
    road.execution.refresh_from_db()
    assert (road.execution.last_outcome, road.execution.last_result_at) == ("hit", slot.captured_at)
    camera = Camera.objects.get()
    assert (camera.state, camera.cover_at) == ("online", slot.captured_at)


def test_a_clear_result_is_only_counted(road: Road, settings: Any) -> None:
    slot = road.capture(road.slot())
    with scripted_engine(settings.VANTAGE_ENGINE_SOCKET, lambda _frame, spec: clear(spec["execution"])):
        road.infer(slot)
    Writer().step(idle=0.1)
    slot.refresh_from_db()
    assert slot.results == {str(road.execution.pk): {"outcome": "clear", "reason": "", "ms": 0}}
    assert ExecutionHour.objects.values_list("hits", "clears", "not_analysed").get() == (0, 1, 0)
    assert not RawEvent.objects.exists()
    assert not Capture.objects.exists()
    assert not os.path.exists(slot.frame)


def test_a_batch_that_comes_twice_changes_nothing(road: Road, settings: Any) -> None:
    slot = road.capture(road.slot())
    with scripted_engine(settings.VANTAGE_ENGINE_SOCKET, lambda _frame, spec: hit(spec["execution"], ITEM)):
        road.infer(slot)
        kept = Path(slot.frame).read_bytes()
    batch = [FrameResults.unpacked(value) for value in take_batch(idle=0.1)]
    assert write_batch(batch) == 1
    Path(slot.frame).write_bytes(kept)
    assert write_batch(batch) == 0
    assert write_batch(batch + batch) == 0
    assert RawEvent.objects.count() == Capture.objects.count() == 1
    assert ExecutionHour.objects.values_list("hits", flat=True).get() == 1


def test_live_results_that_come_twice_are_counted_once(road: Road) -> None:
    now = clock.now()
    results = [
        FrameResults(None, road.camera.pk, 0, now + timedelta(seconds=second), "", 0, 0, [answer])
        for second, answer in enumerate([clear(str(road.execution.pk)), hit(str(road.execution.pk), ITEM)])
    ]
    assert write_batch(results) == 1
    assert write_batch(results) == 0
    assert ExecutionHour.objects.values_list("hits", "clears").get() == (1, 1)


def test_what_a_dead_writer_took_is_written_by_the_next(road: Road) -> None:
    now = clock.now()
    item = FrameResults(None, road.camera.pk, 0, now, "", 0, 0, [hit(str(road.execution.pk), ITEM)])
    from workers.writer.results import push

    assert push([item])
    assert len(take_batch(idle=0.1)) == 1  # and the writer dies here
    assert waiting() == 1
    assert recover() == 1
    assert Writer().step(idle=0.1) == 1
    assert RawEvent.objects.count() == 1
    assert waiting() == 0


def test_a_writer_that_was_led_past_writes_what_the_other_left(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers.writer import LEASE
    from workers.writer.results import push

    # it would close this test's transaction
    monkeypatch.setattr("workers.writer.close_old_connections", lambda: None)
    stalled = Writer()
    assert stalled._lead()
    moment = clock.now()
    other = ProcessLease.objects.filter(name=LEASE)
    other.update(holder="another:1", fence=2, until=moment)  # it led, took a batch and died
    push([FrameResults(None, road.camera.pk, 0, moment, "", 0, 0, [hit(str(road.execution.pk), ITEM)])])
    assert len(take_batch(idle=0.1, fence=2)) == 1
    stalled._renewed = float("-inf")
    assert stalled._lead()
    assert stalled.step(idle=0.1) == 1
    assert waiting() == 0


def test_a_value_that_is_no_result_does_not_stop_the_others(road: Road) -> None:
    from workers.writer import results as wire

    wire.client().lpush(wire.WAITING, b"\xc1broken", b"\x93\x01\x02\x03")
    wire.push(
        [FrameResults(None, road.camera.pk, 0, clock.now(), "", 0, 0, [hit(str(road.execution.pk), ITEM)])]
    )
    Writer().step(idle=0.1)
    assert RawEvent.objects.count() == 1
    assert wire.client().llen(wire.DEAD) == 2


def test_a_camera_that_does_not_answer_says_why(http_camera: HttpCamera) -> None:
    road = Road(http_camera.url("/nothing.ts"))
    slot = road.capture(road.slot())
    assert (slot.state, slot.reason) == ("not_captured", "not_found")
    Writer().step(idle=0.1)
    slot.refresh_from_db()
    assert (slot.open, slot.results[str(road.execution.pk)]["reason"]) == (0, "not_found")
    camera = Camera.objects.get()
    assert (camera.state, camera.state_cause) == ("offline", "not_found")


def test_an_address_outside_the_policy_is_never_opened(http_camera: HttpCamera, settings: Any) -> None:
    settings.VANTAGE_OUTBOUND_EXACT = []
    road = Road(http_camera.url("/live.ts"))
    slot = road.capture(road.slot())
    assert (slot.state, slot.reason) == ("not_captured", "refused")
    assert http_camera.requests == []


def test_privacy_masks_are_painted_before_anything_is_stored(road: Road, settings: Any) -> None:
    import cv2

    half = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]
    mask = {"type": "Polygon", "space": "image-norm", "preset": 0, "coordinates": [half]}
    Scene.objects.create(camera=road.camera, privacy_masks=[mask])
    slot = road.capture(road.slot())
    for path in (Path(slot.frame), Path(settings.MEDIA_ROOT) / "covers" / f"{road.camera.pk}.jpg"):
        image = cv2.imread(str(path))
        assert image[:, :150].std() < 3
        assert image[:, 170:].std() > 10


def test_the_engine_is_away_and_the_slot_waits(road: Road, settings: Any) -> None:
    slot = road.capture(road.slot())
    road.infer(slot)
    slot.refresh_from_db()
    assert (slot.state, slot.open, slot.attempts) == ("captured", 1, 1)
    assert slot.lease_until < clock.now() + timedelta(seconds=3)
    with scripted_engine(settings.VANTAGE_ENGINE_SOCKET, lambda _frame, spec: clear(spec["execution"])):
        road.infer(slot)
    Writer().step(idle=0.1)
    slot.refresh_from_db()
    assert (slot.open, slot.attempts) == (0, 2)


def test_a_lost_frame_is_captured_again_while_its_interval_lasts(road: Road) -> None:
    slot = road.capture(road.slot())
    Path(slot.frame).unlink()
    road.infer(slot)
    slot.refresh_from_db()
    assert (slot.state, slot.frame) == ("leased", "")
    slot = road.capture(slot)
    assert slot.state == "captured"
    assert Path(slot.frame).is_file()


def test_a_lost_frame_after_its_interval_is_not_analysed(road: Road) -> None:
    slot = road.capture(road.slot())
    Path(slot.frame).unlink()
    CaptureSlot.objects.update(deadline=clock.now() - timedelta(seconds=1))
    road.infer(slot)
    Writer().step(idle=0.1)
    slot.refresh_from_db()
    assert slot.results[str(road.execution.pk)]["reason"] == "frame_lost"


def test_a_worker_that_was_overtaken_writes_nothing(road: Road) -> None:
    slot = road.slot()
    slow = lease_for_capture([slot.pk], node="node-1")
    assert lease_for_capture([slot.pk], node="node-2") == []
    fast = lease_for_capture([slot.pk], node="node-2", again=True)
    assert fast[0].fence == slow[0].fence + 1
    run_batch(slow)
    slot.refresh_from_db()
    assert slot.state == "leased"
    run_batch(fast)
    slot.refresh_from_db()
    assert (slot.state, slot.node) == ("captured", "node-1")


def test_an_execution_that_ended_meanwhile_is_not_analysed(road: Road, settings: Any) -> None:
    slot = road.capture(road.slot())
    Execution.objects.update(state="stopped")
    with scripted_engine(settings.VANTAGE_ENGINE_SOCKET, lambda _frame, spec: clear(spec["execution"])):
        road.infer(slot)
    Writer().step(idle=0.1)
    slot.refresh_from_db()
    assert slot.results[str(road.execution.pk)]["reason"] == "execution_ended"
