"""Events, raw events, traces and deliveries go by age: whole months where possible, never what is locked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.permissions import principal_of_user
from apps.core import clock, retention
from apps.core.ids import key_id
from apps.core.models import AuditRecord
from apps.core.partitions import ensure_partitions
from apps.devices.models import Camera, DeletionRecord, MediaLock
from apps.devices.services.retention import delete_expired, lock_media, preview, release_lock, set_rule
from apps.events.models import Event, EventAudience, EventOccurrence, RawEvent, Review
from apps.openapi.models import Attempt, Delivery, Subscription
from apps.strategies.models import Trace
from tests.openapi import builders
from tests.support import factories

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def event(camera: Camera, age: float, **fields: Any) -> Event:
    """An event raised and last seen `age` days ago, ended and confirmed unless `fields` say otherwise."""
    moment = clock.now() - age * DAY
    values = {
        "id": key_id(moment, "event", camera.pk, age),
        "time": moment,
        "first_seen": moment,
        "last_seen": moment,
        "ended_at": moment,
        "review_state": "confirmed",
        **fields,
    }
    return builders.event(camera, **values)


def lock(camera: Camera, around: datetime) -> MediaLock:
    operator = principal_of_user(factories.user(camera.managing_organisation, ("operator",)))
    span = {"frames_from": around - DAY, "frames_to": around + DAY}
    return lock_media(by=operator, camera=camera, reason="case 7", ends_at=clock.now() + 30 * DAY, **span)


def left(*rows: Any) -> list[bool]:
    return [type(row).objects.filter(pk=row.pk).exists() for row in rows]


def test_old_events_go_with_repeats_reviews_and_a_record() -> None:
    camera = factories.camera()
    old, older, young = event(camera, 181), event(camera, 400), event(camera, 179)
    again = event(camera, 10, recurrence_of=old)
    EventOccurrence.objects.create(id=key_id(old.time, 1), event=old, time=old.time)
    EventAudience.objects.create(event=old, organisation=camera.managing_organisation)
    Review.objects.create(event=old, verdict="confirmed", previous_state="pending", created_at=old.time)
    assert delete_expired() == 1
    assert left(old, older, young, again) == [False, False, True, True]
    assert not EventOccurrence.objects.exists()
    assert not Review.objects.exists()
    again.refresh_from_db()
    assert again.recurrence_of is None
    record = DeletionRecord.objects.get()
    assert (record.kind, record.count, record.rule) == ("event", 2, "event: 180 d (site)")
    assert (record.oldest, record.newest) == (older.last_seen, old.last_seen)
    assert record.organisation_name == camera.managing_organisation.name
    assert record.digest == retention.digest_of([old.pk, older.pk])
    assert record.is_intact
    assert AuditRecord.objects.get(action="retention.delete").detail["digest"] == record.digest
    assert delete_expired() == 0


@pytest.mark.parametrize(
    "state",
    [
        {"ended_at": None, "open_until": None},
        {"review_state": "pending"},
        {"handling": "in_progress"},
        {"last_seen": datetime(2100, 1, 1, tzinfo=UTC)},
        {"id": UUID(int=2**127)},
    ],
    ids=["open", "to review", "being handled", "seen lately", "raised lately from an old recording"],
)
def test_an_old_event_that_is_not_over_stays(state: dict[str, Any]) -> None:
    row = event(factories.camera(), 900, **state)
    assert delete_expired() == 0
    assert left(row) == [True]


def test_a_locked_event_stays_until_the_lock_is_taken_off() -> None:
    camera = factories.camera()
    held, free, elsewhere = event(camera, 200), event(camera, 300), event(factories.camera(), 200)
    row = lock(camera, held.time)
    delete_expired()
    assert left(held, free, elsewhere) == [True, False, False]
    release_lock(by=factories.principal(camera.managing_organisation, ("operator",)), lock=row)
    delete_expired()
    assert left(held) == [False]


def test_each_organisation_has_its_own_age_of_events() -> None:
    ours, theirs = factories.camera(), factories.camera()
    operator = factories.principal(ours.managing_organisation, ("operator",))
    rows = [event(ours, 50), event(theirs, 50)]
    assert preview(by=operator, kind="event", days=40).count == 1
    set_rule(by=operator, kind="event", days=40)
    delete_expired()
    assert left(*rows) == [False, True]


def subscription(camera: Camera) -> Subscription:
    app = builders.app(camera.managing_organisation)
    return Subscription.objects.create(app=app, name="hook", endpoint="https://bureau.example/hook")


def delivery(to: Subscription, age: float, about: Event | None = None, **fields: Any) -> Delivery:
    moment = clock.now() - age * DAY
    row = Delivery.objects.create(
        id=key_id(moment, "delivery", age),
        subscription=to,
        message=key_id(moment, "message", age),
        kind="raised",
        event_id=about.pk if about else None,
        body={"data": {}},
        due_at=moment,
        **{"state": "delivered", **fields},
    )
    Delivery.objects.filter(pk=row.pk).update(created_at=moment)
    Attempt.objects.create(id=key_id(clock.now(), "attempt", row.pk), delivery=row, number=1, at=moment)
    return row


def test_old_deliveries_go_with_their_attempts_but_not_what_is_locked_or_on_its_way() -> None:
    camera = factories.camera()
    to, kept = subscription(camera), event(camera, 200)
    lock(camera, kept.time)
    old, dead = delivery(to, 181), delivery(to, 300, state="dead")
    young, held = delivery(to, 179), delivery(to, 200, kept)
    leased = delivery(to, 190, state="retrying", lease_until=clock.now() + DAY)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as if each insert had been committed
    delete_expired()
    assert left(old, dead, young, held, leased) == [False, False, True, True, True]
    assert set(Attempt.objects.values_list("delivery", flat=True)) == {young.pk, held.pk, leased.pk}
    record = DeletionRecord.objects.get(kind="delivery")
    assert (record.count, record.digest) == (2, retention.digest_of([old.pk, dead.pk]))


def raw_and_trace(camera: Camera, moment: datetime) -> None:
    version = factories.algorithm_version()
    raw = RawEvent.objects.create(
        id=key_id(moment, "raw", camera.pk),
        execution_id=key_id(moment, "execution"),
        camera=camera,
        item=version.algorithm.items.first(),
        time=moment,
        package_fingerprint="",
        recorded_at=moment,
    )
    Trace.objects.create(
        id=key_id(moment, "trace", camera.pk), raw_event=raw.pk, camera=camera, time=moment, ran_at=moment
    )


@pytest.mark.parametrize(("kind", "model"), [("raw_event", RawEvent), ("trace", Trace)])
def test_a_month_without_locks_goes_whole_and_one_with_keeps_only_what_is_locked(
    kind: str, model: Any
) -> None:
    march, april = datetime(2025, 3, 10, tzinfo=UTC), datetime(2025, 4, 10, tzinfo=UTC)
    ensure_partitions(march, months=2)
    held, other = factories.camera(), factories.camera()
    for camera in (held, other):
        for moment in (march, april):
            raw_and_trace(camera, moment)
    raw_and_trace(other, clock.now())
    row = lock(held, april)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert retention.kinds.get(kind).find(clock.now() - 180 * DAY, None).count == 3
    delete_expired()
    assert set(model.objects.values_list("camera", "time__month")) == {
        (held.pk, 4),
        (other.pk, timezone.localtime(clock.now()).month),  # as the database says it
    }
    table = model._meta.db_table
    assert [exists(f"{table}_{month}") for month in ("202503", "202504")] == [False, True]
    counts = DeletionRecord.objects.filter(kind=kind).order_by("oldest").values_list("count", flat=True)
    assert list(counts) == [2, 1]
    release_lock(by=factories.principal(held.managing_organisation, ("operator",)), lock=row)
    delete_expired()
    assert not exists(f"{table}_202504")


def exists(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        return bool(cursor.fetchone()[0])
