"""The checker can fail: each rule finds what is planted against it, and is silent without."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from apps.accounts.permissions import SYSTEM
from apps.analysis.models import CaptureSlot, Execution
from apps.core import audit, clock, outbox
from apps.core.ids import uuid7
from apps.core.models import ProcessLease
from apps.devices.models import Camera
from apps.events.models import Event, EventOccurrence, RawEvent
from apps.events.services import NewRawEvent, record_raw_events
from apps.openapi.models import Attempt, Delivery
from apps.strategies.models import PendingRun, Trace
from tests.openapi import builders
from tests.support import factories, lease_log
from tests.support.analysis import ITEM, builtin_version, executions_of, running_task
from tests.support.checker import Verdict, check
from tests.support.receiver import Visit
from workers.writer import results


class World:
    """One camera, one execution, one raw event that became one event, told and delivered once."""

    def __init__(self) -> None:
        home = factories.organisation()
        self.camera: Camera = factories.camera(home, address="http://10.0.0.1/a")
        self.execution: Execution = executions_of(
            running_task(home, [self.camera], [builtin_version()], interval=60)
        )[0]
        at = clock.now() - timedelta(minutes=5)
        self.slot = CaptureSlot.objects.create(
            id=uuid7(),
            camera=self.camera,
            planned_at=at,
            deadline=at + timedelta(seconds=60),
            executions=[self.execution.pk],
            state="captured",
            captured_at=at,
            results={str(self.execution.pk): {"outcome": "hit", "reason": "", "ms": 1}},
        )
        target = {"label": "mover", "score": 0.9, "box": [0, 0, 0.1, 0.1], "track": None, "attributes": {}}
        (self.raw,) = record_raw_events(
            [NewRawEvent(execution_id=self.execution.pk, item=ITEM, time=at, targets=[target], ordinal=0)]
        )
        PendingRun.objects.all().delete()
        self.trace(self.raw)
        self.event: Event = builders.event(self.camera, raw_event_id=self.raw)
        app = builders.app(home)
        self.subscription = factories_subscription(app)
        self.message = uuid7()
        self.delivery = self.deliver(self.message)
        self.visits = [self.visit(self.message)]
        self.acknowledged = {str(self.message)}
        audit.record(SYSTEM, "test.first")
        audit.record(SYSTEM, "test.second")

    def trace(self, raw: UUID) -> Trace:
        return Trace.objects.create(
            id=uuid7(),
            raw_event=raw,
            camera=self.camera,
            time=clock.now(),
            verdict="raise",
            ran_at=clock.now(),
        )

    def deliver(self, message: UUID, state: str = "delivered", status: int | None = 204) -> Delivery:
        row = Delivery.objects.create(
            id=uuid7(),
            subscription=self.subscription,
            message=message,
            kind="raised",
            event_id=self.event.pk,
            state=state,
            due_at=clock.now(),
        )
        if status:
            Attempt.objects.create(id=uuid7(), delivery=row, number=1, at=clock.now(), status=status)
        return row

    def visit(self, message: UUID) -> Visit:
        body = {"type": "cn.vantage.event.020102.raised", "data": {"event": str(self.event.pk)}}
        return Visit("POST", "/hook", {"webhook-id": str(message)}, json.dumps(body).encode(), 0.0)

    def check(self) -> Verdict:
        return check(visits=self.visits, acknowledged=self.acknowledged)


def factories_subscription(app: object) -> object:
    from apps.openapi.models import Subscription

    return Subscription.objects.create(app=app, name="hook", endpoint="http://127.0.0.1:9/", kinds=["raised"])


def sql(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))


def raw_event_under_a_second_id(world: World) -> None:
    row = RawEvent.objects.get(pk=world.raw)
    row.pk = uuid7()
    row.save(force_insert=True)
    world.trace(row.pk)


def raw_event_forgotten(world: World) -> None:
    Trace.objects.all().delete()


def event_and_repeat(world: World) -> None:
    other = builders.event(world.camera, raw_event_id=uuid7())
    EventOccurrence.objects.create(id=world.raw, event=other, time=clock.now())


def traced_twice(world: World) -> None:
    world.trace(world.raw)


def event_of_nothing(world: World) -> None:
    RawEvent.objects.all().delete()


def slot_both(world: World) -> None:
    CaptureSlot.objects.update(state="not_captured", reason="unreachable")


def slot_without_moment(world: World) -> None:
    CaptureSlot.objects.update(captured_at=None)


def slot_twice(world: World) -> None:
    row = CaptureSlot.objects.get()
    row.pk = uuid7()
    row.save(force_insert=True)


def slot_miscounted(world: World) -> None:
    CaptureSlot.objects.update(open=1)


def slot_forgotten(world: World) -> None:
    CaptureSlot.objects.update(state="leased", captured_at=None)


def execution_stolen(world: World) -> None:
    later = clock.now() + timedelta(seconds=30)
    Execution.objects.update(node="node-1", fence=1, lease_until=later)
    Execution.objects.update(node="node-2", fence=2, lease_until=later)


def execution_same_fence(world: World) -> None:
    past = clock.now() - timedelta(seconds=1)
    Execution.objects.update(node="node-1", fence=1, lease_until=past)
    Execution.objects.update(node="node-2", fence=1, lease_until=past)


def fence_fell(world: World) -> None:
    moment = clock.now()
    ProcessLease.objects.create(name="writer", holder="a:1", fence=5, renewed_at=moment, until=moment)
    ProcessLease.objects.update(fence=4)


def process_lease_stolen(world: World) -> None:
    moment = clock.now()
    until = moment + timedelta(seconds=10)
    ProcessLease.objects.create(name="writer", holder="a:1", fence=1, renewed_at=moment, until=until)
    ProcessLease.objects.update(holder="b:2", fence=2)


def audit_changed(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditrecord DISABLE TRIGGER USER")
        cursor.execute("UPDATE core_auditrecord SET action = 'test.other' WHERE action = 'test.first'")
        cursor.execute("ALTER TABLE core_auditrecord ENABLE TRIGGER USER")


def delivered_unattempted(world: World) -> None:
    Attempt.objects.all().delete()


def told_twice(world: World) -> None:
    message = uuid7()
    world.deliver(message)
    world.visits.append(world.visit(message))
    world.acknowledged.add(str(message))


def unknown_message(world: World) -> None:
    world.visits.append(world.visit(uuid7()))


def never_acknowledged(world: World) -> None:
    world.acknowledged.clear()


def never_seen(world: World) -> None:
    world.visits.clear()


def acknowledged_not_delivered(world: World) -> None:
    Delivery.objects.update(state="retrying")


def outbox_left(world: World) -> None:
    outbox.write("push", {}, due_at=clock.now() - timedelta(seconds=1))


PLANTED: list[tuple[Callable[[World], None], str]] = [
    (raw_event_under_a_second_id, "raw event twice under two ids"),
    (raw_event_forgotten, "has no trace and does not wait"),
    (event_and_repeat, "is both event"),
    (traced_twice, "was traced 2 times"),
    (event_of_nothing, "which is not there"),
    (slot_both, "is both captured and not captured"),
    (slot_without_moment, "does not say when"),
    (slot_twice, "exists 2 times"),
    (slot_miscounted, "counts 1 open executions, but 0"),
    (slot_forgotten, "was never decided"),
    (execution_stolen, "had two holders at once: node-1"),
    (execution_same_fence, "under the same fence 1"),
    (fence_fell, "fence fell from 5 to 4"),
    (process_lease_stolen, "writer had two holders at once: a:1"),
    (audit_changed, "audit chain broken at record"),
    (delivered_unattempted, "without an attempt that was answered"),
    (told_twice, "under two ids"),
    (unknown_message, "of which no delivery is stored"),
    (never_acknowledged, "the receiver never acknowledged it"),
    (never_seen, "the receiver never saw it"),
    (acknowledged_not_delivered, "which is not called delivered"),
    (outbox_left, "not drained: 1 outbox messages"),
]


@pytest.fixture
def world(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Clean, with the lease log on, and result lists nobody else writes to."""
    mark = uuid7().hex
    for name in ("WAITING", "TAKEN", "DEAD"):
        monkeypatch.setattr(results, name, f"test:{mark}:{name.lower()}")
    lease_log.install()
    yield World()
    lease_log.remove()


def test_the_checker_is_silent_where_all_is_well(world: World) -> None:
    verdict = world.check()
    assert verdict.is_clean, verdict
    assert verdict.counts["raw events"] == verdict.counts["events"] == verdict.counts["slots"] == 1
    assert verdict.counts["messages acknowledged"] == 1
    assert str(verdict).startswith("checker: clean (1 raw events, 1 events")


@pytest.mark.parametrize(("plant", "words"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_the_checker_finds_what_is_planted(world: World, plant: Callable[[World], None], words: str) -> None:
    plant(world)
    verdict = world.check()
    assert any(words in line for line in verdict.violations), verdict
    assert words in str(verdict)
