"""F03: a job outlives the broker's patience and is handed out a second time: one of the two is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.analysis.models import CaptureSlot, ExecutionHour
from apps.events.models import RawEvent
from tests.faults.test_f01_pool_child_killed import captured_slot
from tests.support.analysis import ITEM
from tests.support.celery_worker import celery_worker
from tests.support.checker import raw_events_once, slots_decided_once
from tests.support.engine import hit, scripted_engine
from tests.support.road import claimed_broker, served_here
from tests.support.waiting import until
from workers.inference import infer_slots
from workers.writer import Writer

VISIBILITY, LONG = 5, 20.0


@pytest.fixture
def broker(settings: Any, tmp_path: Path) -> Iterator[str]:
    settings.VANTAGE_FRAMES = tmp_path / "frames"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VANTAGE_ENGINE_SOCKET = str(tmp_path / "run" / "engine.sock")
    with claimed_broker(settings.REDIS_URL) as own, served_here(own):
        yield own


@pytest.mark.slow_fault
@pytest.mark.timeout(240)
@pytest.mark.django_db(transaction=True)
def test_f03_a_job_longer_than_the_visibility_timeout_counts_once(
    broker: str, tmp_path: Path, settings: Any
) -> None:
    slot = captured_slot()

    def answer(_frame: Any, spec: Any) -> dict[str, Any]:
        time.sleep(LONG)
        return hit(spec["execution"], ITEM)

    patience = {"VANTAGE_VISIBILITY_SECONDS": str(VISIBILITY)}
    with (
        scripted_engine(settings.VANTAGE_ENGINE_SOCKET, answer) as engine,
        celery_worker(tmp_path, broker, queues="inference.cpu", name="one", **patience),
        celery_worker(tmp_path, broker, queues="inference.cpu", name="two", **patience),
    ):
        infer_slots.apply_async(([str(slot.pk)],))
        until(lambda: len(engine.frames) >= 2, 90, "the second run")
        assert CaptureSlot.objects.get().fence > slot.fence + 1, "the second run has a higher fence"
        writer = Writer()
        until(lambda: (writer.step(idle=0.2), CaptureSlot.objects.get().open == 0)[1], 90, "the first result")
        ends = time.monotonic() + LONG + 5
        while time.monotonic() < ends:
            writer.step(idle=0.5)
    assert RawEvent.objects.count() == 1
    assert sum(ExecutionHour.objects.values_list("hits", flat=True)) == 1
    assert not [*slots_decided_once({}, settled=False), *raw_events_once({})]
