"""The regular sync looks in full only where something changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from apps.algorithms.models import DetectionItem
from apps.analysis.models import AnalysisTask, AnalysisUnit, Execution, Plan
from apps.analysis.services import regular_sync, sync_when_changed
from apps.core import clock
from apps.devices.models import Camera
from tests.support import factories
from tests.support.analysis import builtin_version, running_task

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regular_sync, "_last", None)


def arranged() -> None:
    """A running task with one execution."""
    home = factories.organisation()
    running_task(home, [factories.camera(home, address="http://10.0.0.1/a")], [builtin_version()])


def settle() -> None:
    """Until nothing is left to do: the sync looks once more at what it changed itself."""
    assert any(sync_when_changed() is None for _ in range(3))


CHANGES: dict[str, Callable[[], object]] = {
    "unit": lambda: AnalysisUnit.objects.all().delete(),
    "task": lambda: AnalysisTask.objects.get().save(),
    "task over": lambda: AnalysisTask.objects.update(valid_to=clock.now() - timedelta(seconds=1)),
    "plan": lambda: Plan.objects.get().save(),
    "plan ended": lambda: Plan.objects.update(kind="periods", periods=[{"days": []}]),
    "camera": lambda: Camera.objects.get().save(),
    "mapping": lambda: DetectionItem.objects.update(mapping_state="proposed"),
    "failed": lambda: Execution.objects.update(state="failed"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_it_looks_again_when_something_changed(change: Callable[[], object]) -> None:
    arranged()
    settle()

    change()

    assert sync_when_changed() is not None
    settle()


def test_a_failed_execution_is_tried_again_however_often_it_fails() -> None:
    arranged()
    settle()

    for _ in range(3):
        Execution.objects.update(state="failed")
        assert sync_when_changed() is not None
        assert Execution.objects.get().state == "running"


def test_after_ten_minutes_it_looks_whatever_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    arranged()
    settle()
    assert regular_sync._last is not None
    stamp, moment = regular_sync._last

    monkeypatch.setattr(regular_sync, "_last", (stamp, moment - regular_sync.OLDEST_S - 1))

    assert sync_when_changed() is not None
