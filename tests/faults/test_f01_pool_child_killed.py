"""F01: a pool child is killed in the middle of an analysis; the work is done again once, and yields one event."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import pytest
import redis
from celery import current_app
from django.db import connection

from apps.analysis.models import CaptureSlot
from apps.analysis.planner.heap import slot_id
from apps.analysis.services import PlannedSlot, lease_for_capture, mark_captured, write_slots
from apps.core import clock, wake
from apps.events.models import RawEvent
from tests.support import factories
from tests.support.analysis import ITEM, builtin_version, executions_of, running_task
from tests.support.engine import hit, scripted_engine
from workers.capture.frames import FrameStore
from workers.inference import infer_slots
from workers.vision.frames import Frame
from workers.writer import Writer

ROOT = Path(__file__).resolve().parents[2]
OWN_DATABASE_OF_REDIS = 13


def database_url() -> str:
    """The test database, as the worker has to reach it."""
    values = connection.settings_dict
    host = f"{values['USER']}:{values['PASSWORD']}@{values['HOST'] or '127.0.0.1'}:{values['PORT'] or 5432}"
    return f"postgresql://{host}/{values['NAME']}"


@pytest.fixture
def broker(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Redis database of this test's own."""
    url = urlunsplit(urlsplit(settings.REDIS_URL)._replace(path=f"/{OWN_DATABASE_OF_REDIS}"))
    client = redis.Redis.from_url(url)
    client.flushdb()
    monkeypatch.setattr(wake, "_client", client)
    yield url
    client.flushdb()


@pytest.fixture
def worker(broker: str, settings: Any, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real Celery worker with one pool child, on queue inference.cpu of this test's broker."""
    settings.VANTAGE_FRAMES = tmp_path / "frames"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VANTAGE_ENGINE_SOCKET = str(tmp_path / "run" / "engine.sock")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
        "DATABASE_URL": database_url(),
        "REDIS_URL": broker,
        "VANTAGE_DATA": str(tmp_path / "data"),
        "VANTAGE_RUN": str(tmp_path / "run"),
        "VANTAGE_FRAMES": str(tmp_path / "frames"),
        "VANTAGE_NODE": settings.VANTAGE_NODE,
    }
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "portal.celery",
        "worker",
        "-Q",
        "inference.cpu",
        "-c",
        "1",
    ]
    command += ["-n", f"f01-{os.getpid()}@%h", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    with open(tmp_path / "worker.log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        yield process
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def captured_slot() -> CaptureSlot:
    """A slot whose picture waits for analysis."""
    home = factories.organisation()
    camera = factories.camera(home, address="http://10.0.0.1/a")
    execution = executions_of(running_task(home, [camera], [builtin_version()], interval=60))[0]
    at = clock.now().replace(microsecond=0)
    identifier = slot_id(camera.pk, 0, at)
    write_slots([PlannedSlot(identifier, camera.pk, 0, at, at + timedelta(seconds=60), (execution.pk,))])
    path = FrameStore().write(Frame(np.full((90, 160, 3), 90, np.uint8), at), identifier)
    leased = lease_for_capture([identifier], node="node-1")
    assert mark_captured(leased[0], frame=str(path), node="node-1", captured_at=at)
    return CaptureSlot.objects.get(pk=identifier)


@pytest.mark.django_db(transaction=True)
def test_f01_a_killed_pool_child_costs_seconds_and_no_event(
    worker: subprocess.Popen[bytes], broker: str, settings: Any
) -> None:
    slot = captured_slot()
    begun, killed = threading.Event(), threading.Event()

    def answer(_frame: Any, spec: Any) -> dict[str, Any]:
        if not killed.is_set():  # the first try never gets its answer
            begun.set()
            killed.wait(60)
        return hit(spec["execution"], ITEM)

    with scripted_engine(settings.VANTAGE_ENGINE_SOCKET, answer) as engine:
        with current_app.connection_for_write(broker) as connection_:
            infer_slots.apply_async(([str(slot.pk)],), connection=connection_)
        assert begun.wait(60), "the worker did not begin the analysis"
        children = children_of(worker.pid)
        assert children
        moment = time.monotonic()
        for child in children:
            os.kill(child, signal.SIGKILL)
        killed.set()
        writer = Writer()
        while time.monotonic() - moment < 30 and CaptureSlot.objects.get(pk=slot.pk).open:
            writer.step(idle=0.2)
        took = time.monotonic() - moment
    slot.refresh_from_db()
    assert slot.open == 0
    assert took <= 10
    assert slot.attempts == 2
    assert RawEvent.objects.count() == 1
    assert len(engine.frames) == 2
    assert worker.poll() is None
    time.sleep(1.0)
    writer.step(idle=0.2)
    assert RawEvent.objects.count() == 1
