"""F08, F30 (capture): a camera that kills the process which opens it is given up; the others keep flowing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.analysis.models import CaptureSlot
from apps.analysis.planner.heap import slot_id
from apps.analysis.services import PlannedSlot, write_slots
from apps.core import clock
from tests.support import factories
from tests.support.analysis import builtin_version, executions_of, running_task
from tests.support.celery_worker import celery_worker, said
from tests.support.checker import slots_decided_once
from tests.support.road import claimed_broker, served_here
from tests.support.waiting import until
from workers.capture import capture_slots
from workers.process.poison import MOST_CRASHES


@pytest.fixture
def broker(settings: Any) -> Iterator[str]:
    with claimed_broker(settings.REDIS_URL) as own, served_here(own):
        yield own


def slots_of(number: int) -> list[CaptureSlot]:
    """So many slots of as many cameras, due now."""
    home, now = factories.organisation(), clock.now().replace(microsecond=0)
    cameras = [factories.camera(home, address=f"http://10.0.0.{index}/a") for index in range(1, number + 1)]
    executions = executions_of(running_task(home, cameras, [builtin_version()], interval=60))
    planned = [
        PlannedSlot(
            slot_id(one.camera_id, 0, now), one.camera_id, 0, now, now + timedelta(seconds=300), (one.pk,)
        )
        for one in executions
    ]
    write_slots(planned)
    return list(CaptureSlot.objects.order_by("id"))


@pytest.mark.timeout(240)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["exit", pytest.param("segv", marks=pytest.mark.slow_fault)])
def test_f08_the_poisoned_slot_is_given_up_after_three_crashes(broker: str, tmp_path: Path, how: str) -> None:
    slots = slots_of(5)
    poison = slots[2]
    extra = {"TEST_POISON": str(poison.camera_id), "TEST_POISON_HOW": how}
    capture_slots.apply_async(([str(slot.pk) for slot in slots],))
    with celery_worker(
        tmp_path, broker, queues="capture", app="tests.support.poisoned_celery", **extra
    ) as worker:
        until(
            lambda: not CaptureSlot.objects.filter(state__in=["planned", "leased"]).exists(), 120, "all slots"
        )
        assert worker.poll() is None, "the worker itself lives on"
        assert said(tmp_path, f"crashed {MOST_CRASHES} captures: given up")
    poison.refresh_from_db()
    assert (poison.state, poison.reason) == ("not_captured", "capture_crashed")
    assert poison.attempts <= MOST_CRASHES + 1
    assert CaptureSlot.objects.filter(state="captured").count() == 4
    assert not list(slots_decided_once({}, settled=False))
