"""F08 in the strategies: a raw event at which the process dies is given up, and nobody else suffers for it."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection

from apps.core import clock
from apps.events.models import Event
from apps.events.services import record_raw_events
from apps.strategies.models import PendingRun, Trace
from apps.strategies.services import decide as deciding
from apps.strategies.services import run_pending
from apps.strategies.services.lease import holding
from tests.events import factories as make
from tests.strategies import factories as strategies

pytestmark = pytest.mark.django_db(transaction=True)
CAMERAS, RUNS = 4, 6


def arranged() -> tuple[list[UUID], UUID]:
    """Raw events of several cameras; the second of the third camera is the poison."""
    strategies.everywhere()
    found: list[UUID] = []
    poison = None
    for number in range(CAMERAS):
        execution = make.execution()
        ids = record_raw_events([make.hit(execution, 60 * second) for second in range(RUNS)])
        poison = ids[1] if number == 2 else poison
        found += ids
    assert poison is not None
    return found, poison


def work_in_a_process(poison: UUID) -> int:
    """A worker of its own that does what waits; its exit status, 9 where it died of the poison."""
    connection.close()
    child = os.fork()
    if child:
        _pid, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    try:
        from apps.strategies.services import pending

        def deadly(raw: Any, *rest: Any) -> Any:
            if raw.pk == poison:
                os._exit(9)
            return deciding.decide(raw, *rest)

        pending.decide = deadly
        while run_pending():
            pass
    except BaseException:
        os._exit(1)
    os._exit(0)


def let_leases_end() -> None:
    """As if their time had passed."""
    leased = PendingRun.objects.filter(lease_until__isnull=False)
    leased.update(lease_until=clock.now() - timedelta(seconds=1))


def test_f08_a_run_that_kills_its_process_is_given_up_and_its_neighbours_are_not() -> None:
    found, poison = arranged()
    deaths = 0
    for _ in range(8):
        status = work_in_a_process(poison)
        assert status in {0, 9}
        deaths += status == 9
        if not PendingRun.objects.exclude(attempts=3, lease_until=None).exists():
            break
        let_leases_end()

    assert deaths == 3
    assert [row.raw_event for row in PendingRun.objects.all()] == [poison]
    assert PendingRun.objects.get().last_error == "the process died"
    failed = Trace.objects.get(verdict="failed")
    assert (failed.raw_event, failed.reason) == (poison, "process_died")
    judged = set(Trace.objects.exclude(verdict="failed").values_list("raw_event", flat=True))
    assert judged == set(found) - {poison}
    assert Event.objects.count() == len(found) - 1

    call_command("retry_runs")  # the cause was mended
    while run_pending():
        pass
    assert not PendingRun.objects.exists()
    assert not Trace.objects.filter(verdict="failed").exists()
    assert Event.objects.count() == len(found)


def test_f08_a_lease_that_ran_out_under_a_living_process_is_nobody_elses() -> None:
    found, _poison = arranged()
    leased, end = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with holding() as holder:
                holder.batch(200)
                leased.set()
                end.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert leased.wait(10)
    for _ in range(4):
        let_leases_end()
        assert run_pending() == 0
    end.set()
    thread.join()
    while run_pending():
        pass

    assert not PendingRun.objects.exists()
    assert not Trace.objects.filter(verdict="failed").exists()
    assert Trace.objects.count() == len(found)


def test_f08_a_database_that_was_away_is_no_death(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from apps.strategies.services import pending

    found, _poison = arranged()

    def away(*rest: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(pending, "store", away)
    for _ in range(4):
        with pytest.raises(OperationalError):
            run_pending()
    monkeypatch.undo()

    assert set(PendingRun.objects.values_list("attempts", "lease_until")) == {(0, None)}
    assert run_pending() == len(found)
