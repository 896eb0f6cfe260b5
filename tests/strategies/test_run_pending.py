"""From stored raw events to events with their traces: in order, once, and never silently lost."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from apps.algorithms.models import DetectionItem
from apps.core import clock
from apps.events.models import Event, EventOccurrence
from apps.events.services import record_raw_events
from apps.strategies.models import PendingRun, Trace
from apps.strategies.services import decide as deciding
from apps.strategies.services import retry_failed, run_pending
from apps.strategies.services.ensure_default import ensure_default_strategy
from tests.events import factories as make
from tests.strategies import factories as strategies
from tests.support import factories

pytestmark = pytest.mark.django_db


def six_presences() -> list[int]:
    """Seconds at which somebody is seen: six presences of some seconds with pauses above three."""
    seen: list[int] = []
    start = 3
    for length, pause in [(2, 4), (9, 5), (3, 12), (7, 4), (2, 6), (5, 0)]:
        seen += range(start, start + length)
        start += length + pause
    return seen


def test_six_presences_sampled_every_second_give_exactly_six_events() -> None:
    strategies.everywhere()
    execution = make.execution()
    seconds = six_presences()
    record_raw_events([make.hit(execution, second) for second in reversed(seconds)])

    assert run_pending(limit=7) == 7
    while run_pending(limit=7):
        pass

    assert Event.objects.count() == 6
    assert Event.objects.count() + EventOccurrence.objects.count() == len(seconds)
    assert sum(Event.objects.values_list("occurrences", flat=True)) == len(seconds)
    assert Trace.objects.filter(verdict="raised").count() == 6
    assert Trace.objects.filter(verdict="merged").count() == len(seconds) - 6
    assert not PendingRun.objects.exists()
    chain = Event.objects.order_by("time").values_list("recurrence_of__time", "time")
    times = [time for _before, time in chain]
    assert [before for before, _time in chain] == [None, *times[:-1]]


def test_the_event_and_its_trace_name_each_other() -> None:
    binding = strategies.everywhere()
    bureau = factories.organisation()
    execution = make.execution()
    make.unit(execution, bureau)
    [identifier] = record_raw_events([make.hit(execution)])

    assert run_pending() == 1

    event, trace = Event.objects.get(), Trace.objects.get()
    assert (trace.raw_event, trace.event_id, trace.version) == (identifier, event.pk, binding.version)
    assert trace.organisations == [bureau.pk]
    assert [step["component"] for step in trace.steps] == [
        "event-in@1",
        "confidence@1",
        "min-size@1",
        "region@1",
        "dedup@1",
        "event-out@1",
    ]
    assert event.explanation["trace"] == str(trace.pk)
    assert event.explanation["strategy_version"] == 1
    assert event.explanation["merge_window_s"] == 3


def test_running_again_changes_nothing() -> None:
    strategies.everywhere()
    [identifier] = record_raw_events([make.hit(make.execution())])
    run_pending()
    from apps.strategies.services import queue_runs

    queue_runs([identifier])
    assert run_pending() == 1

    assert Event.objects.count() == 1
    assert Trace.objects.count() == 1
    assert not EventOccurrence.objects.exists()


@pytest.mark.parametrize(
    ("fields", "component", "reason"),
    [
        ({"score": 0.1}, "confidence@1", "low_confidence"),
        ({"box": [0.1, 0.1, 0.001, 0.001]}, "min-size@1", "too_small"),
    ],
)
def test_noise_is_stopped_with_its_reason(fields: dict[str, Any], component: str, reason: str) -> None:
    strategies.everywhere()
    record_raw_events([make.hit(make.execution(), **fields)])

    run_pending()

    trace = Trace.objects.get()
    assert (trace.verdict, trace.component, trace.reason) == ("stopped", component, reason)
    assert not Event.objects.exists()


def test_the_regions_of_the_scene_rule_count() -> None:
    from apps.analysis.models import Scene, SceneRule

    strategies.everywhere()
    execution = make.execution()
    scene = Scene.objects.create(camera=execution.camera)
    ring = [[0.0, 0.0], [0.3, 0.0], [0.3, 0.3], [0.0, 0.3]]
    region = {"type": "Polygon", "space": "image-norm", "preset": 0, "coordinates": [ring]}
    rule = SceneRule.objects.create(
        scene=scene,
        algorithm=execution.version.algorithm,
        owner=execution.camera.managing_organisation,
        regions=[region],
    )
    execution.rule = rule
    execution.save()
    record_raw_events(
        [make.hit(execution, 0, box=[0.1, 0.1, 0.1, 0.1]), make.hit(execution, 60, box=[0.6, 0.6, 0.1, 0.1])]
    )

    run_pending()

    assert [trace.reason for trace in Trace.objects.order_by("time")] == ["", "outside_region"]


def test_without_a_strategy_and_without_a_type_the_trace_says_so() -> None:
    execution = make.execution()
    record_raw_events([make.hit(execution)])
    run_pending()
    DetectionItem.objects.update(mapping_state="proposed")
    record_raw_events([make.hit(execution, 1)])
    run_pending()

    assert [trace.reason for trace in Trace.objects.order_by("time")] == ["no_strategy", "unmapped_item"]
    assert not Event.objects.exists()


def test_a_failing_run_is_tried_three_times_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    strategies.everywhere()
    execution = make.execution()
    record_raw_events([make.hit(execution, 0), make.hit(execution, 1)])
    other = make.execution()
    record_raw_events([make.hit(other)])
    broken, real = make.NOON, deciding.decide

    def fail(raw: Any, *rest: Any) -> Any:
        if raw.time == broken and raw.camera_id == execution.camera_id:
            raise RuntimeError("broken")
        return real(raw, *rest)

    monkeypatch.setattr("apps.strategies.services.pending.decide", fail)
    moment = clock.now()
    with time_machine.travel(moment, tick=False) as travel:
        assert run_pending() == 1  # the other camera goes on
        assert run_pending() == 0  # this camera's later raw event waits for its turn
        travel.shift(timedelta(seconds=3))
        assert run_pending() == 0
        travel.shift(timedelta(seconds=5))
        assert run_pending() == 0
        failed = Trace.objects.get(verdict="failed")
        assert (failed.reason, failed.time) == ("RuntimeError", make.NOON)
        assert run_pending() == 1  # given up: the later one goes on
        assert PendingRun.objects.get().attempts == 3

        monkeypatch.setattr("apps.strategies.services.pending.decide", real)
        manager = strategies.manager(execution.camera.managing_organisation)
        assert retry_failed(principal=manager) == 1
        assert run_pending() == 1
    assert not PendingRun.objects.exists()
    assert not Trace.objects.filter(verdict="failed").exists()
    assert Event.objects.filter(camera=execution.camera).count() == 1


def test_a_run_whose_process_died_three_times_is_given_up() -> None:
    strategies.everywhere()
    record_raw_events([make.hit(make.execution())])
    PendingRun.objects.update(attempts=3, lease_until=clock.now() - timedelta(seconds=1))

    assert run_pending() == 0

    assert Trace.objects.get().reason == "process_died"
    assert PendingRun.objects.get().lease_until is None


def test_the_lease_of_a_dead_process_ends() -> None:
    strategies.everywhere()
    record_raw_events([make.hit(make.execution())])
    PendingRun.objects.update(attempts=1, lease_until=clock.now() + timedelta(seconds=30))

    assert run_pending() == 0
    with time_machine.travel(clock.now() + timedelta(seconds=31)):
        assert run_pending() == 1


@pytest.mark.django_db(transaction=True)
def test_several_workers_keep_a_cameras_order_and_raise_nothing_twice() -> None:
    strategies.everywhere()
    executions = [make.execution() for _ in range(3)]
    seconds = six_presences()
    for execution in executions:
        record_raw_events([make.hit(execution, second) for second in seconds])
    done: list[int] = []

    def work() -> None:
        try:
            idle = 0
            while idle < 3:
                finished = run_pending(limit=10)
                done.append(finished)
                idle = 0 if finished else idle + 1
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while run_pending():
        pass

    assert Event.objects.count() == 18
    assert Trace.objects.count() == 3 * len(seconds)
    assert sum(Event.objects.values_list("occurrences", flat=True)) == 3 * len(seconds)


def test_the_default_strategy_is_made_once() -> None:
    organisation = factories.organisation()

    first = ensure_default_strategy(organisation)
    again = ensure_default_strategy(factories.organisation())

    assert first == again
    assert first.versions.get().graph == first.draft
    record_raw_events([make.hit(make.execution())])
    run_pending()
    assert Event.objects.count() == 1
