"""A batch costs what one run costs: the statements do not grow with the raw events, and news is told once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.analysis.models import Execution
from apps.events.models import Event, EventOccurrence
from apps.events.services import Attached, Decision, raise_event, record_outcomes, record_raw_events
from apps.strategies.models import StrategyBinding, Trace
from apps.strategies.services import queue_runs, run_pending, stop_strategy, unbind
from tests.events import factories as make
from tests.events.news import heard, pushes
from tests.strategies import factories as strategies
from tests.support import factories

pytestmark = pytest.mark.django_db


def statements(work: Callable[[], object]) -> int:
    """How many statements `work` sends."""
    with CaptureQueriesContext(
        connection,
    ) as seen:
        work()
    return len(seen)


def repeats(execution: Execution, first: int, number: int) -> None:
    record_raw_events([make.hit(execution, first + second) for second in range(number)])


def test_forty_repeats_cost_as_many_statements_as_two() -> None:
    strategies.everywhere()
    execution = make.execution()
    repeats(execution, 0, 1)
    run_pending()
    repeats(execution, 1, 2)
    few = statements(run_pending)
    repeats(execution, 3, 40)
    many = statements(run_pending)

    assert many == few
    assert Event.objects.get().occurrences == 43


def test_twenty_new_events_cost_no_more_reads_than_two() -> None:
    """A new event is told by itself; what it is made of is read for all."""
    strategies.everywhere()
    execution = make.execution()
    make.unit(execution, factories.organisation())

    def raise_some(first: int, number: int) -> int:
        record_raw_events([make.hit(execution, first + 60 * place) for place in range(number)])
        return statements(run_pending)

    raise_some(0, 1)
    few, many = raise_some(10_000, 2), raise_some(20_000, 20)

    assert Event.objects.count() == 23
    told = (many - few) / 18
    assert told <= 5  # raised, and ended: subscriptions and outbox for each


def test_nothing_to_do_is_one_statement() -> None:
    strategies.everywhere()
    assert statements(run_pending) == 1


def test_repeats_of_one_batch_are_told_once_with_their_number() -> None:
    strategies.everywhere()
    execution = make.execution()
    repeats(execution, 0, 1)
    run_pending()
    repeats(execution, 1, 5)
    with heard() as news:
        run_pending()

    assert news == [("updated", "update")]
    assert [push["summary"]["occurrences"] for push in pushes()] == [1, 6]


def test_a_batch_that_raises_repeats_and_ends_tells_each_once_in_order() -> None:
    strategies.everywhere()
    execution = make.execution()
    record_raw_events([make.hit(execution, second) for second in (0, 1, 2, 60)])
    with heard() as news:
        run_pending()

    assert news == [("raised", "new"), ("updated", "update"), ("ended", "ended"), ("raised", "new")]
    first, second = Event.objects.order_by("time")
    assert (first.occurrences, first.ended_at, first.recurrence_of) == (3, first.last_seen, None)
    assert (second.occurrences, second.ended_at, second.recurrence_of) == (1, None, first)


def test_a_run_that_comes_again_keeps_its_trace_and_event() -> None:
    strategies.everywhere()
    execution = make.execution()
    found = record_raw_events([make.hit(execution, second) for second in (0, 1)])
    run_pending()
    before = list(Trace.objects.order_by("time").values())
    with heard() as news:
        queue_runs(found)
        assert run_pending() == 2

    assert list(Trace.objects.order_by("time").values()) == before
    assert news == []
    assert Event.objects.get().occurrences == 2
    assert EventOccurrence.objects.count() == 1


def test_organisations_served_by_a_repeat_join_the_audience() -> None:
    strategies.everywhere()
    execution = make.execution()
    first, later = factories.organisation(), factories.organisation()
    make.unit(execution, first)
    repeats(execution, 0, 1)
    run_pending()
    make.unit(execution, later)
    repeats(execution, 1, 3)
    run_pending()

    served = Event.objects.get().audience.values_list("organisation_id", flat=True)
    assert set(served) == {first.pk, later.pk}
    assert f"o:{later.pk}" in pushes()[-1]["topics"]


def test_an_unknown_main_event_stores_nothing() -> None:
    event = raise_event(raw=make.raw_event(), decision=Decision(window_s=3))
    Event.objects.filter(pk=event.pk).delete()
    with pytest.raises(Event.DoesNotExist):
        record_outcomes([Attached(make.raw_event(seconds=1), event.pk)])


def test_a_binding_that_ends_decides_nothing_from_the_next_run_on() -> None:
    binding = strategies.everywhere()
    manager = strategies.manager(binding.strategy.organisation)
    execution = make.execution()

    def verdict(second: int) -> str:
        repeats(execution, second, 1)
        run_pending()
        return Trace.objects.order_by("-time").values_list("verdict", flat=True)[0]

    assert verdict(0) == "raised"
    stop_strategy(principal=manager, strategy=binding.strategy)
    assert verdict(100) == "stopped"
    StrategyBinding.objects.all().delete()
    other = strategies.everywhere()
    assert verdict(200) == "raised"
    unbind(principal=strategies.manager(other.strategy.organisation), binding=other)
    assert verdict(300) == "stopped"


@pytest.mark.parametrize("size", [1, 3, 50])
def test_persistence_gives_the_same_events_whatever_the_batches(size: int) -> None:
    graph = strategies.graph()
    nodes, edges = graph["nodes"], graph["edges"]
    nodes.append({"id": "lasting", "component": "persistence@1", "params": {"frames": 3, "of": 4}})
    edges[-1]["to"] = "lasting:in"
    edges.append({"from": "lasting:out", "to": "out:in"})
    strategies.everywhere(graph_=graph)
    execution = make.execution()
    record_raw_events([make.hit(execution, second) for second in (0, 1, 20, 40, 41, 43, 44, 60)])

    while run_pending(limit=size):
        pass

    event = Event.objects.get()
    assert (event.time - make.NOON).total_seconds() == 43
    assert event.occurrences == 2
    stopped = Trace.objects.filter(verdict="stopped")
    assert set(stopped.values_list("component", "reason")) == {("persistence@1", "not_often_enough")}
    assert stopped.count() == 6
