"""What nobody works on any more is handed out again by the planner, and then really done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.analysis.models import CaptureSlot
from apps.analysis.planner import tick
from apps.analysis.services import lease_for_capture
from apps.core import clock
from tests.support.engine import clear, scripted_engine
from tests.support.http_camera import HttpCamera
from tests.workers.test_road import Road
from workers.capture import capture_slots
from workers.inference import infer_slots
from workers.management.leader import plan
from workers.writer import Writer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are done at once, exactly as they were sent, by a planner that remembers nothing."""
    for task in (capture_slots, infer_slots):
        monkeypatch.setattr(task, "apply_async", lambda args, task=task, **options: task(*args))
    monkeypatch.setattr(tick, "_planner", tick.Planner())


@pytest.fixture
def road(http_camera: HttpCamera) -> Road:
    return Road(http_camera.url("/live.ts"))


def overdue(slot: CaptureSlot) -> None:
    """Its lease has ended."""
    CaptureSlot.objects.filter(pk=slot.pk).update(lease_until=clock.now() - timedelta(seconds=1))


def test_a_slot_that_met_no_engine_is_analysed_by_the_sweep(road: Road, settings: Any) -> None:
    slot = road.capture(road.slot())
    assert (slot.state, slot.open, slot.attempts) == ("captured", 1, 1)
    overdue(slot)
    with scripted_engine(settings.VANTAGE_ENGINE_SOCKET, lambda _frame, spec: clear(spec["execution"])):
        plan()
    Writer().step(idle=0.1)
    slot.refresh_from_db()
    assert (slot.open, slot.attempts) == (0, 2)


def test_a_silent_workers_slot_is_captured_by_the_sweep(road: Road) -> None:
    slot = road.slot()
    (silent,) = lease_for_capture([slot.pk], node="node-2")
    overdue(slot)
    plan()
    slot.refresh_from_db()
    assert (slot.state, slot.node) == ("captured", "node-1")
    assert slot.fence > silent.fence


def test_a_slot_that_somebody_holds_is_left_alone(road: Road) -> None:
    slot = road.slot()
    (held,) = lease_for_capture([slot.pk], node="node-2")
    plan()
    slot.refresh_from_db()
    assert (slot.state, slot.fence, slot.node) == ("leased", held.fence, "node-2")
