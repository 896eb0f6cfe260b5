"""F36: 32 threads want the same transition and one wins; victims of a deadlock are tried again, at most three times."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from psycopg import errors

from apps.core import retries
from apps.core.errors import Conflict
from apps.core.models import ProcessLease
from apps.core.retries import ATTEMPTS, atomic_again
from apps.events.models import Event, Review
from apps.events.services import review_event
from tests.openapi import builders
from tests.support import factories

THREADS = 32


def at_once(number: int, work: Callable[[int], Any]) -> list[Any]:
    """The result or the exception of each of `number` threads that begin together."""
    results: list[Any] = [None] * number
    barrier = threading.Barrier(number)

    def run(index: int) -> None:
        try:
            barrier.wait(60)
            results[index] = work(index)
        except Exception as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return results


@pytest.mark.django_db(transaction=True)
def test_f36_of_32_verdicts_on_one_event_exactly_one_stands() -> None:
    home = factories.organisation()
    event = builders.event(factories.camera(home), policy="review_first")
    reviewers = [factories.principal(home, ("event_reviewer",)) for _ in range(4)]
    results = at_once(
        THREADS,
        lambda index: review_event(
            principal=reviewers[index % 4], event_id=event.pk, verdict=("confirmed", "false_alarm")[index % 2]
        ),
    )
    kinds = Counter(type(result).__name__ for result in results)
    assert kinds == {"Review": 1, "Conflict": THREADS - 1}, results
    assert {result.code for result in results if isinstance(result, Conflict)} == {"already_reviewed"}
    review = Review.objects.get()
    assert Event.objects.get().review_state == review.verdict


def lease(name: str) -> None:
    from apps.core import clock

    now = clock.now()
    ProcessLease.objects.create(name=name, holder="x", renewed_at=now, until=now)


@pytest.mark.django_db(transaction=True)
def test_f36_the_victim_of_a_deadlock_is_tried_again() -> None:
    lease("a")
    lease("b")
    met, tries = threading.Barrier(2), Counter[int]()

    def cross(index: int) -> None:
        first, second = ("a", "b") if index == 0 else ("b", "a")

        @atomic_again
        def both() -> None:
            tries[index] += 1
            add_one(first)
            if tries[index] == 1:
                met.wait(30)
            add_one(second)

        both()

    assert at_once(2, cross) == [None, None]
    assert sum(tries.values()) >= 3, "there was a deadlock"
    assert max(tries.values()) <= ATTEMPTS
    assert list(ProcessLease.objects.order_by("name").values_list("fence", flat=True)) == [2, 2]


def add_one(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_processlease SET fence = fence + 1 WHERE name = %s", [name])


@pytest.mark.django_db(transaction=True)
def test_f36_it_gives_up_after_three_and_repeats_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(retries.time, "sleep", waits.append)
    calls = Counter[str]()

    @atomic_again
    def colliding(kind: type[Exception]) -> None:
        calls[kind.__name__] += 1
        raise OperationalError("collision") from kind()

    for kind in (errors.SerializationFailure, errors.DeadlockDetected, errors.AdminShutdown):
        with pytest.raises(OperationalError):
            colliding(kind)
    assert calls == {"SerializationFailure": 3, "DeadlockDetected": 3, "AdminShutdown": 1}
    assert len(waits) == 4
    assert waits[0] < waits[1] * 3
