"""Which node holds which live execution."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.analysis.models import Execution
from apps.core import clock
from apps.dispatch.models import ComputeNode
from apps.dispatch.services import LEASE, heartbeat, place, renew
from tests.support import factories
from tests.support.analysis import builtin_version, executions_of, running_task
from workers.streams.rows import NodeRows

pytestmark = pytest.mark.django_db


def beat(name: str) -> ComputeNode:
    return heartbeat(name=name, facts={}, load={}, started_at=clock.now(), units=[("cpu", 0, "cpu", 100)])


def live_executions(number: int) -> list[Execution]:
    home = factories.organisation()
    version = builtin_version()
    cameras = [factories.camera(home, address="http://10.0.0.1/a") for _ in range(number)]
    return executions_of(running_task(home, cameras, [version], sampling="keyframes", interval=2))


def test_without_a_node_executions_wait_and_say_so() -> None:
    live_executions(1)
    assert place(clock.now()) == 0
    row = Execution.objects.get()
    assert (row.state, row.state_reason) == ("waiting", "node_offline")


def test_executions_go_to_the_node_with_the_fewest() -> None:
    beat("a"), beat("b")
    live_executions(6)
    assert place(clock.now()) == 6
    assert sorted(Execution.objects.values_list("node", flat=True)) == ["a"] * 3 + ["b"] * 3
    assert set(Execution.objects.values_list("state", "fence")) == {("assigned", 1)}
    assert place(clock.now()) == 0


def test_executions_of_one_camera_stay_together() -> None:
    beat("a"), beat("b")
    home = factories.organisation()
    camera = factories.camera(home, address="http://10.0.0.1/a")
    running_task(home, [camera], [builtin_version(), builtin_version()], sampling="fps", interval=0.5)
    place(clock.now())
    assert Execution.objects.values("node").distinct().count() == 1


def test_a_silent_node_gets_nothing_and_keeps_what_it_holds_until_its_lease_ends() -> None:
    beat("a"), beat("b")
    live_executions(4)
    place(clock.now())
    ComputeNode.objects.filter(name="a").update(heartbeat_at=clock.now() - timedelta(seconds=16))
    assert place(clock.now()) == 0, "it may still hold its streams"
    later = clock.now() + LEASE + timedelta(seconds=1)
    ComputeNode.objects.filter(name="b").update(heartbeat_at=later)
    renew(node="b", held=dict(Execution.objects.filter(node="b").values_list("pk", "fence")), now=later)
    assert place(later) == 2
    assert set(Execution.objects.values_list("node", flat=True)) == {"b"}
    assert sorted(Execution.objects.values_list("fence", flat=True)) == [1, 1, 2, 2]


def test_a_drained_node_gives_its_executions_back(settings: Any) -> None:
    beat("a"), beat("b")
    live_executions(4)
    place(clock.now())
    ComputeNode.objects.filter(name="a").update(is_drained=True)
    settings.VANTAGE_NODE = "a"
    rows = NodeRows()
    assert not rows.read().executions
    assert place(clock.now()) == 0, "the holder has not yet let go"
    assert not rows.read().executions
    assert place(clock.now()) == 2
    assert set(Execution.objects.values_list("node", flat=True)) == {"b"}


def test_a_lease_is_renewed_only_under_its_fence() -> None:
    beat("a")
    execution = live_executions(1)[0]
    place(clock.now())
    later = clock.now() + timedelta(seconds=20)
    assert renew(node="a", held={execution.pk: 1}, now=later) == {execution.pk}
    execution.refresh_from_db()
    assert execution.lease_until == later + LEASE
    assert renew(node="a", held={execution.pk: 0}, now=later) == set()
    assert renew(node="b", held={execution.pk: 1}, now=later) == set()


def test_an_ended_lease_is_placed_again_with_a_higher_fence() -> None:
    beat("a")
    live_executions(1)
    place(clock.now())
    later = clock.now() + LEASE + timedelta(seconds=1)
    ComputeNode.objects.update(heartbeat_at=later)
    assert place(later) == 1
    assert Execution.objects.get().fence == 2
