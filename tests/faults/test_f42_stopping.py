"""F42: a worker that is told to end does so in less than 10 s, whatever it is waiting for, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError

from apps.analysis.models import ExecutionHour
from apps.core import clock
from apps.events.signals import event_changed
from apps.openapi.models import Delivery
from tests.events import factories as make
from tests.faults.test_f29_recycling import camera as _camera
from tests.faults.test_f29_recycling import run as run_parent
from tests.openapi import builders
from tests.support import factories
from tests.support.http_camera import HttpCamera
from tests.support.receiver import Receiver, Reply
from workers import delivery, writer
from workers.delivery import DeliveryProcess
from workers.management.commands.courier import end_within
from workers.writer import Writer, results

PROMISED = 10.0
camera = _camera


@pytest.fixture
def own_results(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lists nobody else reads."""
    mark = os.urandom(8).hex()
    for name in ("WAITING", "TAKEN", "DEAD"):
        monkeypatch.setattr(results, name, f"test:{mark}:{name.lower()}")
    yield
    results.client().delete(results.WAITING, results.taken(0), results.DEAD)


@pytest.mark.django_db(transaction=True)
def test_f42_a_delivery_to_a_hanging_receiver_is_let_go_and_goes_again_with_its_id(
    outbound_exact: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "STOP_SECONDS", 1.0)
    with Receiver(Reply(204, wait=14.0), 204) as hanging, Receiver(204) as quick:
        outbound_exact += [hanging.address, quick.address]
        organisation = factories.organisation()
        place = factories.camera(organisation)
        for receiver in (hanging, quick):
            builders.subscription(builders.app(organisation), receiver.url)
        event = builders.event(place)
        event_changed.send(sender=type(event), event=event, kind="raised", phase="new")

        async def until_stopped() -> float:
            stop = asyncio.Event()
            async with DeliveryProcess() as process:
                serving = asyncio.create_task(process.run(stop))
                await asyncio.to_thread(hanging.wait_for, 1)
                await asyncio.to_thread(quick.wait_for, 1)
                began = time.monotonic()
                stop.set()
                await serving
            return time.monotonic() - began

        assert asyncio.run(until_stopped()) < PROMISED
        states = dict(Delivery.objects.values_list("subscription__endpoint", "state"))
        assert states == {hanging.url: "queued", quick.url: "delivered"}
        row = Delivery.objects.get(state="queued")
        assert row.lease_until is not None
        Delivery.objects.filter(pk=row.pk).update(lease_until=clock.now() - timedelta(seconds=1))
        builders.deliver()
        assert len(hanging.messages) == 2
        assert len(set(hanging.messages)) == 1
    assert Delivery.objects.filter(state="delivered").count() == 2


@pytest.mark.django_db
def test_f42_a_writer_that_writes_one_by_one_stops_and_the_next_writes_each_once(
    own_results: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = make.execution(sampling="keyframes")
    moment = clock.now()
    batch = [
        results.FrameResults(
            None,
            execution.camera_id,
            0,
            moment + timedelta(seconds=number),
            "",
            0,
            0,
            [results.not_analysed(execution.pk, "engine_error")],
        )
        for number in range(6)
    ]
    results.push(batch)
    stopping, ended = Writer(), threading.Event()
    stopping._ended = ended
    written = []
    real = writer.write_batch

    def slow(items: list[Any]) -> None:
        if len(items) > 1:
            raise DatabaseError("one of them is damaged")
        real(items)
        written.append(items)
        if len(written) == 2:
            ended.set()

    monkeypatch.setattr(writer, "write_batch", slow)
    assert stopping.step(idle=0.2) == 0
    assert len(written) == 2
    assert results.waiting() == 6, "they stay taken"
    monkeypatch.setattr(writer, "write_batch", real)
    assert results.recover() == 6, "as its successor does with the lease"
    assert Writer().step(idle=0.2) == 6
    assert results.waiting() == 0
    assert ExecutionHour.objects.get(execution=execution).not_analysed >= 6


def test_f42_a_process_whose_work_hangs_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    release = threading.Event()
    hanging = threading.Thread(target=release.wait, name="writer", daemon=True)
    hanging.start()
    quick = threading.Thread(target=lambda: None)
    quick.start()
    began = time.monotonic()
    end_within(0.3, [quick, hanging])
    assert ended == [1]
    assert time.monotonic() - began < PROMISED
    release.set()
    end_within(5.0, [quick, hanging])
    assert ended == [1], "all ended by themselves"


def test_f42_only_a_holder_that_nobody_follows_is_told_so(camera: HttpCamera, tmp_path: Path) -> None:
    run_parent(camera, tmp_path, lambda _parent, found: len(found.pids()) >= 2, max_seconds=3.0)
    ends = [line.split()[1] for line in (tmp_path / "deliveries.ends").read_text().splitlines()]
    assert sorted(ends) == ["False", "True"], "one was replaced, the other was the last"
