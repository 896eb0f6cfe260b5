"""F09, F10: two schedulers at once fire each slot once; a leader that stalls loses its session and steps down."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from apps.core.models import ProcessLease
from tests.support import lease_log
from tests.support.checker import one_holder_each
from tests.support.crash import PREAMBLE, ROOT
from tests.support.waiting import until

SLOTS = 50
PREPARE = """
import sys, time
from datetime import timedelta
from apps.core import clock
from apps.core.periodic import Periodic, schedule
from django.db import connection

class Writes:
    def apply_async(self, **_options):
        with connection.cursor() as cursor:
            slot = int((clock.now().timestamp()) // 1)
            cursor.execute("INSERT INTO test_fired (slot, who) VALUES (%s, %s)", [slot, sys.argv[1]])

schedule._items.clear()
schedule.add("test.every-second", Periodic(Writes(), 1.0))
"""
FAST = """
import random
from workers.management import recurring
moment = [float(sys.argv[2])]
clock.now = lambda: clock.datetime.fromtimestamp(moment[0], clock.UTC)
firing = recurring.Recurring()
for step in range(4 * int(sys.argv[3])):
    firing.fire()
    moment[0] += 0.25
    time.sleep(random.random() / 100)
"""
LEAD = """
import logging
logging.getLogger("workers").setLevel("INFO")
from workers.management import leader
from workers.management.stopping import ended_by_signal
leader.LEASE_SECONDS = 3.0
leader.plan = lambda: None
leader.Leader().run(ended_by_signal())
"""


@pytest.fixture
def fired(transactional_db: None) -> Iterator[None]:
    """The table the firings are written to, and the lease log."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS test_fired (slot bigint, who text)")
        cursor.execute("TRUNCATE test_fired")
    lease_log.install()
    yield
    lease_log.remove()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE test_fired")


@contextlib.contextmanager
def process(folder: Path, script: str, name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A scheduler of its own on the test database."""
    from django.conf import settings

    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings.test",
        "TEST_DATABASE_NAME": connection.settings_dict["NAME"],
        "VANTAGE_TEST_DATA": str(settings.VANTAGE_DATA),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", PREAMBLE + PREPARE + script, name, *arguments]
    with (folder / f"{name}.log").open("wb") as log:
        running = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield running
        finally:
            running.kill()
            running.wait(10)


def firings() -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT slot, who FROM test_fired ORDER BY slot")
        return list(cursor.fetchall())


@pytest.mark.timeout(180)
def test_f09_two_schedulers_fire_each_of_fifty_slots_once(fired: None, tmp_path: Path) -> None:
    began = int(time.time())
    arguments = (str(began), str(SLOTS))
    with process(tmp_path, FAST, "a", *arguments) as one, process(tmp_path, FAST, "b", *arguments) as two:
        assert (one.wait(120), two.wait(120)) == (0, 0), (tmp_path / "a.log").read_text()
    assert Counter(slot for slot, _ in firings()) == Counter(range(began, began + SLOTS))


@pytest.mark.timeout(180)
def test_f10_a_stalled_leader_is_fenced_and_steps_down(fired: None, tmp_path: Path) -> None:
    def holder() -> str:
        row = ProcessLease.objects.filter(name="scheduler").first()
        return row.holder.rpartition(":")[2] if row else ""

    with process(tmp_path, LEAD, "a") as first:
        until(lambda: holder() == str(first.pid), 60, "the first leader")
        with process(tmp_path, LEAD, "b") as second:
            time.sleep(2.0)
            fence = ProcessLease.objects.get(name="scheduler").fence
            os.kill(first.pid, signal.SIGSTOP)
            try:
                until(lambda: holder() == str(second.pid), 60, "the standby to lead")
            finally:
                os.kill(first.pid, signal.SIGCONT)
            taken = ProcessLease.objects.get(name="scheduler").fence
            assert taken == fence + 1
            until(
                lambda: b"scheduler: database" in (tmp_path / "a.log").read_bytes(), 60, "the first to notice"
            )
            before = len(firings())
            until(lambda: len(firings()) > before + 2, 60, "firings to go on")
            assert holder() == str(second.pid), "the first did not take it back"
            os.kill(second.pid, signal.SIGTERM)
            assert second.wait(20) == 0
            until(lambda: holder() == str(first.pid), 60, "the first to follow a leader that left")
    counts = Counter(slot for slot, _ in firings())
    assert max(counts.values()) == 1, counts.most_common(3)
    assert not list(one_holder_each({}))
