"""F06: when a worker counts as starved, and what it then does. The real broker's silence is in test_town."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app

from apps.core.models import ProcessLease
from tests.support.celery_worker import celery_worker, said
from tests.support.road import claimed_broker, served_here
from tests.support.waiting import until
from workers.process import watchdog
from workers.process.watchdog import LIMIT, LONGEST_TASK, Watchdog


@pytest.mark.parametrize(
    ("asked", "waited", "active", "starved"),
    [
        (False, 10_000, 0, False),
        (True, LIMIT - 1, 0, False),
        (True, LIMIT + 1, 0, True),
        (True, LIMIT + 1, 1, True),
        (True, LIMIT + 1, 2, False),
        (True, LIMIT + LONGEST_TASK + 1, 2, True),
    ],
)
def test_f06_when_a_worker_counts_as_starved(
    monkeypatch: pytest.MonkeyPatch, asked: bool, waited: float, active: int, starved: bool
) -> None:
    moment = [100.0]
    monkeypatch.setattr(watchdog.time, "monotonic", lambda: moment[0])
    watch = Watchdog(current_app, "w@here", concurrency=2)
    if asked:
        watch.asked()
    moment[0] += waited
    watch.asked()  # later probes do not hide how long the first has waited
    assert watch.is_starved(active) is starved
    watch.taken()
    assert not watch.is_starved(active)


@pytest.fixture
def broker(settings: Any) -> Iterator[str]:
    with claimed_broker(settings.REDIS_URL) as own, served_here(own):
        yield own


@pytest.mark.slow_fault
@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_f06_a_worker_whose_consumer_is_deaf_ends_itself(broker: str, tmp_path: Path) -> None:
    """Its consumer is told to leave its queues: it lives, holds its connection, and takes nothing."""
    fast = {"VANTAGE_PROBE_SECONDS": "1", "VANTAGE_PROBE_LIMIT": "6"}
    with celery_worker(tmp_path, broker, queues="default", **fast) as worker:
        row = ProcessLease.objects.filter(name__startswith="worker:w-")
        until(lambda: row.exists() and row.get().detail["probe_age"] < 2, 90, "the worker's row")
        name = row.get().name.removeprefix("worker:").rpartition(":")[0]
        assert worker.poll() is None
        for queue in ("default", f"worker.{name}"):
            current_app.control.cancel_consumer(queue, destination=[name])
        assert until(lambda: worker.poll() is not None, 90, "the end of the starved worker")
        assert worker.returncode == -signal.SIGKILL
        assert said(tmp_path, "takes no messages for")
    assert row.get().detail["probe_age"] > 5
    assert not os.path.exists(f"/proc/{worker.pid}")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("age", "late", "reason"),
    [
        (0.0, False, ""),
        (61.0, False, "taken no message for 61 s"),
        (0.0, True, "no such worker"),
        (None, False, "no such"),
    ],
)
def test_f06_readiness_says_whether_the_worker_is_fed(
    settings: Any, capsys: pytest.CaptureFixture[str], age: float | None, late: bool, reason: str
) -> None:
    from datetime import timedelta

    from django.core.management import call_command

    from apps.core import clock

    if age is not None:
        moment = clock.now() - timedelta(minutes=5 if late else 0)
        ProcessLease.objects.create(
            name=f"worker:capture.{settings.VANTAGE_NODE}@host:1",
            holder="host:1",
            renewed_at=moment,
            until=moment + timedelta(seconds=45),
            detail={"probe_age": age},
        )
    if not reason:
        call_command("ready", "capture")
        return
    with pytest.raises(SystemExit) as ended:
        call_command("ready", "capture")
    assert ended.value.code == 1
    assert reason in capsys.readouterr().err
