"""The faults that need the whole road: F02, F05, F06, F32, F35, F42 and the second node. One town for all of them.

Each ends with the checker over everything that has happened so far.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import global_settings
from django.test import override_settings
from django.urls import reverse

from apps.analysis.models import CaptureSlot, Execution
from apps.core.models import ProcessLease
from apps.events.models import Event, RawEvent
from portal.launcher import proc
from tests.bench.pipeline import session_cookie
from tests.support.checker import check
from tests.support.proxy import Proxy
from tests.support.receiver import Reply
from tests.support.town import Town, continue_group, stop_group

pytestmark = [pytest.mark.slow_fault, pytest.mark.timeout(900)]
LEASE, SWEEP = 30.0, 10.0


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Town]:
    """Runs for the whole module; every picture has a hit."""
    with django_db_blocker.unblock(), Town(tmp_path_factory.mktemp("town")) as made:
        own = override_settings(
            VANTAGE_OUTBOUND_EXACT=made.exact, PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS
        )
        with own:
            made.start()
            made.arrange(cameras=3, live=1)
            made.until(lambda: Event.objects.exists(), 180, "the first event")
            yield made


@pytest.fixture(autouse=True)
def unblocked(django_db_blocker: Any) -> Iterator[None]:
    """These tests use the town's database, not the suite's."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(autouse=True)
def checked(town: Town, unblocked: None) -> Iterator[None]:
    """At the end of each: events flow again, and nothing is lost, doubled or held twice."""
    yield
    flows(town)
    verdict = check(visits=town.receiver.visits, acknowledged=town.receiver.acknowledged, settled=False)
    assert verdict.is_clean, f"{verdict}\n{town.logs()}"


def flows(town: Town, seconds: float = 150.0) -> None:
    """New pictures become raw events, and messages of events arrive."""
    count, visits = RawEvent.objects.count, len(town.receiver.visits)
    before = town.until(count, seconds, "the number of raw events")
    town.until(lambda: count() >= before + 4, seconds, "new raw events")
    town.until(lambda: len(town.receiver.visits) > visits, seconds, "new messages")


def ask(url: str, timeout: float = 10.0, cookie: str = "") -> tuple[int, dict[str, str], str]:
    """Status, headers and body; 0 where nobody answers."""
    request = urllib.request.Request(url, headers={"Cookie": cookie} if cookie else {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode(errors="replace")
    except (urllib.error.URLError, OSError):
        return 0, {}, ""


@pytest.mark.parametrize("name", ["capture", "analysis", "streams", "engine", "scheduler", "courier"])
def test_f02_a_killed_process_costs_at_most_a_lease_and_a_sweep(town: Town, name: str) -> None:
    before = RawEvent.objects.count()
    began = time.monotonic()
    town.kill(name)
    town.until(lambda: RawEvent.objects.count() >= before + 8, 120, f"events after the end of {name}")
    assert time.monotonic() - began < LEASE + SWEEP + 30.0
    late = CaptureSlot.objects.filter(state="not_captured", reason="worker_lost")
    assert late.count() <= 3, "slots whose time was over before another worker could take them"


def test_f05_the_broker_dies_and_comes_back_empty(town: Town) -> None:
    town.is_reviving = False
    town.break_valkey()
    try:
        town.until(
            lambda: '"lost"' in ask(town.url + "/readyz")[2], 60, "health to say that the broker is lost"
        )
        status, _headers, body = ask(town.url + "/readyz")
        assert status == 503
        assert '"broker": "lost"' in body
        assert ask(town.url + "/healthz")[0] == 200, "the process lives"
        town.sleep(8.0)
    finally:
        town.is_reviving = True
    town.until(lambda: ask(town.url + "/readyz")[0] == 200, 60, "the broker to be back")
    flows(town)
    verdict = town_settled(town)
    assert verdict.is_clean, verdict


def town_settled(town: Town) -> Any:
    """Stop the tasks, wait until all is delivered, check everything, and start the tasks again."""
    verdict = town.verdict()
    town.look()
    return verdict


def test_f35_postgresql_restarts_at_once_under_load(town: Town) -> None:
    answers: list[tuple[int, str | None]] = []
    ended = threading.Event()

    def load() -> None:
        while not ended.is_set():
            status, headers, _body = ask(town.url + reverse("events:event-list"), cookie=cookie)
            answers.append((status, headers.get("Retry-After")))
            time.sleep(0.05)

    cookie = f"sessionid={session_cookie(town.city)}"
    assert ask(town.url + reverse("events:event-list"), cookie=cookie)[0] == 200
    acknowledged = set(RawEvent.objects.values_list("pk", flat=True))
    callers = [threading.Thread(target=load, daemon=True) for _ in range(3)]
    for caller in callers:
        caller.start()
    town.is_reviving = False
    try:
        for _ in range(2):
            town.sleep(1.0)
            acknowledged |= set(RawEvent.objects.values_list("pk", flat=True))
            town.break_postgres()
            town.sleep(2.0)
            town.services.revive()
            town.until(lambda: RawEvent.objects.exists(), 60, "the database")
    finally:
        town.is_reviving = True
        ended.set()
    for caller in callers:
        caller.join(30)
    statuses = {status for status, _ in answers}
    assert 503 in statuses
    assert statuses <= {200, 503}, answers
    assert all(retry for status, retry in answers if status == 503)
    assert acknowledged <= set(RawEvent.objects.values_list("pk", flat=True)), (
        "an acknowledged write was lost"
    )
    flows(town)


def test_f06_a_worker_that_takes_nothing_ends_and_is_started_again(town: Town) -> None:
    """The watchdog's limit is lowered for the test; the worker's own queue is taken from under it."""
    assert town.services.valkey
    with Proxy(town.services.valkey.port) as proxy:
        node = town.nodes["node-1"]
        managed = next(row for row in node.managed if row.spec.name == "capture")
        before = dict(node.environment)
        node.environment["REDIS_URL"] = proxy.through(town.services.urls()["REDIS_URL"])
        town.kill("capture")
        town.until(lambda: managed.process is None, 20, "the end of capture")
        town.until(lambda: "capture" in node.pids(), 60, "capture behind the proxy")
        node.environment.clear()
        node.environment.update(before)
        behind = town.pid("capture")
        row = ProcessLease.objects.filter(name__startswith="worker:capture")
        town.until(
            lambda: any(r.detail.get("pid") == town.pid("capture") for r in row.all()), 90, "its first probe"
        )
        captured = CaptureSlot.objects.filter(state="captured").count
        proxy.mode = "half_open"
        town.sleep(30.0)
        proxy.mode = "open"
        then = captured()
        restarts = managed.restarts
        town.until(
            lambda: captured() > then or managed.restarts > restarts, 150, "captures again, or a restart"
        )
        if node.pids().get("capture") == behind:
            town.kill(
                "capture"
            )  # the proxy ends with this test; the others want a worker at the broker itself
            town.until(
                lambda: node.pids().get("capture") not in (None, behind), 60, "capture without the proxy"
            )


def test_f32_nothing_is_left_of_a_worker_whose_parent_was_killed(town: Town) -> None:
    for name in ("capture", "analysis"):
        children = town.until(lambda name=name: town.children(name), 60, f"children of {name}")
        os.kill(town.pid(name), signal.SIGKILL)
        town.until(
            lambda left=children: not any(map(proc.is_alive, left)), 20, f"the end of {name}'s children"
        )
    mine = [stat for stat in proc.all_stats() if stat.parent == os.getpid()]
    town.until(
        lambda: not [stat for stat in proc.all_stats() if stat.state == "Z" and stat.parent == os.getpid()],
        20,
        f"no zombie among {len(mine)} children",
    )


def test_f42_all_processes_end_within_ten_seconds_of_work(town: Town) -> None:
    """SIGTERM to each in the middle of its work; what it held is taken up by its successor."""
    took: dict[str, float] = {}
    for name in ("capture", "analysis", "streams", "engine", "scheduler", "courier", "web"):
        town.until(lambda name=name: name in town.nodes["node-1"].pids(), 60, f"{name} to run")
        town.sleep(2.0)
        process = next(m.process for m in town.nodes["node-1"].managed if m.spec.name == name)
        assert process is not None
        began = time.monotonic()
        process.terminate()
        process.wait(30)
        took[name] = round(time.monotonic() - began, 1)
    slower = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert max(took.values()) < 10.0 * slower, took
    print("seconds from SIGTERM to the end:", took)


def test_f10_a_scheduler_that_was_stopped_past_its_lease_does_no_harm(town: Town) -> None:
    pid = town.pid("scheduler")
    stop_group(pid)
    town.sleep(35.0)
    continue_group(pid)
    flows(town)


def test_receiver_errors_and_a_killed_courier_are_one_message_each(town: Town) -> None:
    town.receiver.replies[:] = [Reply(500), Reply(503), Reply(500), Reply(204)]
    town.sleep(6.0)
    town.kill("courier")
    flows(town)


def test_a_second_node_takes_over_when_the_first_is_gone(town: Town) -> None:
    town.add_node("node-2")
    town.until(
        lambda: CaptureSlot.objects.filter(node="node-2", state="captured", open=0).count() >= 2,
        120,
        "pictures taken and analysed by the second node",
    )
    first = town.nodes["node-1"]
    names = {row.spec.name for row in first.managed}
    assert {"capture", "analysis", "engine", "streams"} <= names
    for name in ("capture", "analysis", "engine", "streams"):
        managed = next(row for row in first.managed if row.spec.name == name)
        first.managed.remove(managed)
        if managed.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(managed.process.pid, signal.SIGKILL)
            managed.process.wait(10)
    for path in Path(town.folder / "node-1" / "frames").glob("*"):
        path.unlink(missing_ok=True)  # the machine is gone, and its memory with it
    began = time.monotonic()
    town.until(
        lambda: (
            Execution.objects.filter(sampling="keyframes", state="running").exists()
            and not Execution.objects.filter(sampling="keyframes", state="running")
            .exclude(node="node-2")
            .exists()
        ),
        120,
        "the live execution on the second node",
    )
    moved = time.monotonic() - began
    assert moved < LEASE + 15.0 + SWEEP + 20.0
    verdict = town_settled(town)
    assert verdict.is_clean, verdict
    assert Path(town.folder / "node-2" / "frames").is_dir()
