"""Things go by age: not before the shortest, not while locked, with a deletion record, and really gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import principal_of_user
from apps.analysis.models import CaptureSlot
from apps.core import clock, retention
from apps.core.errors import NotAllowed, Refusal
from apps.core.ids import key_id
from apps.core.models import AuditRecord
from apps.core.partitions import ensure_partitions
from apps.devices.models import Camera, Capture, DeletionRecord, MediaLock, RetentionRule
from apps.devices.services import storage
from apps.devices.services.retention import (
    delete_expired,
    lock_media,
    preview,
    release_lock,
    rules_for,
    set_rule,
)
from apps.devices.services.storage.sealing import destroy
from tests.support import factories

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def capture(camera: Camera, age: float, media_class: str = "event_picture", **fields: Any) -> Capture:
    moment = clock.now() - age * DAY
    identifier = key_id(moment, "capture", camera.pk, media_class, age)
    path = f"frames/{identifier}.jpg"
    storage.put(path, b"\xff\xd8" + b"x" * 100, media_class)
    return Capture.objects.create(
        id=identifier, camera=camera, time=moment, path=path, size=102, media_class=media_class, **fields
    )


def gone(row: Capture) -> bool:
    row.refresh_from_db()
    there = (Path(storage.media_path(row.path))).exists()
    assert there == (row.deleted_at is None), "row and file agree"
    return not there


def test_what_is_too_old_goes_and_a_record_says_so() -> None:
    camera = factories.camera()
    old, older, young = capture(camera, 91), capture(camera, 200), capture(camera, 89)
    clear_old, clear_young = capture(camera, 8, "clear_capture"), capture(camera, 6, "clear_capture")
    evidence = capture(camera, 3000, "evidence")
    assert delete_expired() == 2
    assert [gone(row) for row in (old, older, young)] == [True, True, False]
    assert [gone(row) for row in (clear_old, clear_young, evidence)] == [True, False, False]
    record = DeletionRecord.objects.get(kind="event_picture")
    assert (record.count, record.size) == (2, 204)
    assert (record.oldest, record.newest) == (older.time, old.time)
    assert record.organisation_name == camera.managing_organisation.name
    assert record.rule == "event_picture: 90 d (site)"
    assert record.digest == retention.digest_of(f"{row.pk} " for row in (old, older))
    assert record.is_intact
    audited = AuditRecord.objects.get(action="retention.delete", object_id=str(record.pk))
    assert audited.detail["digest"] == record.digest
    assert delete_expired() == 0, "running again does nothing new"


def test_nothing_goes_while_it_is_locked() -> None:
    camera = factories.camera()
    operator = principal_of_user(factories.user(camera.managing_organisation, ("operator",)))
    held, free, row_locked = capture(camera, 100), capture(camera, 120), capture(camera, 130)
    Capture.objects.filter(pk=row_locked.pk).update(locked_until=clock.now() + DAY)
    lock = lock_media(
        by=operator,
        camera=camera,
        frames_from=held.time - DAY,
        frames_to=held.time + DAY,
        reason="case 7",
        ends_at=clock.now() + 30 * DAY,
    )
    delete_expired()
    assert [gone(row) for row in (held, free, row_locked)] == [False, True, False]
    release_lock(by=operator, lock=lock)
    delete_expired()
    assert gone(held)
    assert set(AuditRecord.objects.filter(action__startswith="media.").values_list("action", flat=True)) == {
        "media.lock",
        "media.unlock",
    }


@pytest.mark.parametrize("broken", ["reason", "length", "end"])
def test_a_lock_needs_reason_length_and_end(broken: str) -> None:
    camera = factories.camera()
    operator = principal_of_user(factories.user(camera.managing_organisation, ("operator",)))
    now = clock.now()
    values = {"frames_from": now - DAY, "frames_to": now, "reason": "x", "ends_at": now + DAY}
    values |= {"reason": {"reason": " "}, "length": {"frames_to": now - DAY}, "end": {"ends_at": now}}[broken]
    with pytest.raises(Refusal):
        lock_media(by=operator, camera=camera, **values)
    assert not MediaLock.objects.exists()


def test_the_nearest_rule_holds_within_the_bounds_of_the_site() -> None:
    top = factories.organisation()
    street = factories.organisation(top)
    block = factories.organisation(street)
    at_top, at_street, at_block = (factories.camera(where) for where in (top, street, block))
    operators = {
        where: principal_of_user(factories.user(where, ("operator",))) for where in (top, street, block)
    }
    set_rule(by=operators[top], kind="event_picture", days=200)
    set_rule(by=operators[street], kind="event_picture", days=40)
    rows = [capture(camera, 50) for camera in (at_top, at_street, at_block)]
    assert preview(by=operators[top], kind="event_picture", days=45).count == 1, "the street has its own rule"
    assert preview(by=operators[street], kind="event_picture", days=45).count == 2
    delete_expired()
    assert [gone(row) for row in rows] == [False, True, True]
    rule = next(one for one in rules_for(block) if one.kind == "event_picture")
    assert (rule.days, rule.source, rule.is_own) == (40, street.name, False)
    for days in (29, 366):
        with pytest.raises(Refusal, match="30"):
            set_rule(by=operators[street], kind="event_picture", days=days)
    with pytest.raises(NotAllowed):
        set_rule(by=operators[street], kind="trace", days=60)
    with pytest.raises(NotAllowed):
        set_rule(by=factories.principal(top), kind="event_picture", days=60)


def test_a_rule_below_a_shortest_that_was_raised_does_not_delete_early(settings: Any) -> None:
    camera = factories.camera()
    RetentionRule.objects.create(organisation=camera.managing_organisation, kind="event_picture", days=2)
    row = capture(camera, 20)
    delete_expired()
    assert not gone(row)


def test_the_audit_is_kept_at_least_184_days(settings: Any) -> None:
    settings.VANTAGE_RETENTION = {**settings.VANTAGE_RETENTION, "audit": (1, None, None)}
    rule = next(one for one in rules_for(factories.organisation()) if one.kind == "audit")
    assert (rule.minimum, rule.days, rule.is_fixed) == (184, None, True)
    assert "audit" not in retention.kinds


def test_a_file_is_overwritten_before_it_is_unlinked(tmp_path: Path) -> None:
    path, link = tmp_path / "a.jpg", tmp_path / "b.jpg"
    path.write_bytes(b"face" * 1000)
    link.hardlink_to(path)
    destroy(path)
    path.unlink()
    assert link.read_bytes() == bytes(4000)


def test_old_months_go_as_whole_partitions() -> None:
    start = datetime(2025, 3, 1, tzinfo=UTC)
    ensure_partitions(start, months=2)
    camera = factories.camera()
    for day in (datetime(2025, 3, 5, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC), clock.now()):
        CaptureSlot.objects.create(
            id=key_id(day, "slot", camera.pk), camera=camera, planned_at=day, deadline=day, executions=[]
        )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as if each insert had been committed
    found = retention.kinds.get("slot").find(clock.now() - 30 * DAY, None)
    assert (found.count, found.oldest.year, found.newest.year) == (2, 2024, 2025)
    delete_expired()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass('analysis_captureslot_202503'), count(*) FROM analysis_captureslot"
        )
        assert cursor.fetchone() == (None, 1)
    assert sorted(DeletionRecord.objects.filter(kind="slot").values_list("count", flat=True)) == [1, 1]


def test_the_pages_show_preview_and_save() -> None:
    camera = factories.camera()
    client = Client()
    client.force_login(factories.user(camera.managing_organisation, ("operator",)))
    capture(camera, 50)
    assert b"event_picture" in client.get(reverse("devices:retention-list")).content
    url = reverse("devices:retention-edit") + "?kind=event_picture"
    shown = client.post(url, {"days": 40, "reason": "law"})
    assert b'name="confirmed"' in shown.content
    assert not RetentionRule.objects.exists(), "a preview saves nothing"
    refused = client.post(url, {"days": 3, "reason": "law", "confirmed": 1})
    assert refused.status_code == 200
    assert not RetentionRule.objects.exists()
    assert client.post(url, {"days": 40, "reason": "law", "confirmed": 1}).status_code == 302
    assert RetentionRule.objects.get().days == 40
    assert AuditRecord.objects.filter(action="retention.set").count() == 1
    delete_expired()
    assert b"event_picture: 40 d" in client.get(reverse("devices:deletion-list")).content
    add = {
        "camera": camera.pk,
        "frames_from": "2026-01-01T00:00",
        "frames_to": "2026-01-02T00:00",
        "reason": "case",
        "ends_at": "2099-01-01T00:00",
    }
    assert (
        client.post(reverse("devices:lock-add"), {**add, "camera": factories.camera().pk}).status_code == 200
    )
    assert client.post(reverse("devices:lock-add"), add).status_code == 302
    assert camera.name in client.get(reverse("devices:lock-list")).content.decode()
    client.post(reverse("devices:lock-release", args=[MediaLock.objects.get().pk]))
    assert MediaLock.objects.get().released_at is not None
