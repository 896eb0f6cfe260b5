"""S48: taking out in bulk: a purpose first, a daily quota that two at once do not slip past, a mark on every row.

What leaves in bulk today: the event library and the ledger as CSV, single pictures by download. There are no clips
to download and no approval of more yet.
"""

from __future__ import annotations

import csv
import io
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import get_resolver, reverse

from apps.accounts.models import Job
from apps.accounts.permissions import principal_of_user
from apps.accounts.services.exports import note_export
from apps.core import clock
from apps.core.errors import NotAllowed
from apps.core.models import AuditRecord
from tests.attacks.routes import all_routes
from tests.events import factories as make
from tests.support import factories

EXPORT = "/events/library/export.csv"
#: Everything that leaves in bulk; a new export fails the first test until it stands here and is tested below.
EXPORTS = {"events:event-export", "devices:ledger-export"}


def test_s48_every_export_is_known() -> None:
    _ = get_resolver()
    assert {route.key for route in all_routes() if "export" in route.key or "csv" in route.pattern} == EXPORTS


def person(**fields: Any) -> tuple[Any, Client]:
    """A reviewer of a bureau with three events."""
    organisation = factories.organisation()
    for _ in range(3):
        make.event(make.execution(factories.camera(organisation)), now=True)
    user = factories.user(organisation, ("event_reviewer", "bureau_officer"), **fields)
    client = Client()
    client.force_login(user)
    return user, client


def with_purpose(client: Client) -> Client:
    client.post("/devices/purpose/", {"purpose": "case", "case": "2026-17"})
    return client


def rows_of(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.django_db
def test_s48_nothing_leaves_without_a_purpose() -> None:
    _user, client = person()
    answer = client.get(f"{EXPORT}?level=urgent")
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("devices:purpose"))
    assert not AuditRecord.objects.filter(action="event.export").exists()


@pytest.mark.django_db
def test_s48_every_row_says_who_took_it_and_the_trail_says_why() -> None:
    user, client = person(display_name="王五")
    rows = rows_of(with_purpose(client).get(EXPORT))
    assert len(rows) == 3
    for row in rows:
        mark = row["exported_by"]
        assert mark.startswith(f"王五 · {user.organisation.name} · {str(user.pk).replace('-', '')[-6:]} · 20")
    record = AuditRecord.objects.get(action="event.export")
    assert (record.detail["rows"], record.detail["purpose"], record.detail["case"]) == (3, "case", "2026-17")
    assert Job.objects.get(user=user, kind="event.export").total == 3


@pytest.mark.django_db
def test_s48_the_quota_of_a_day_is_per_person_and_over_all_exports(settings: Any) -> None:
    settings.VANTAGE_EXPORT_ROWS = 7
    user, client = person()
    with_purpose(client)
    start = clock.now()
    with time_machine.travel(start, tick=False):
        assert [client.get(EXPORT).status_code for _ in range(3)] == [200, 200, 403]
        note_export(by=principal_of_user(user), kind="ledger", rows=1, title="x")
        with pytest.raises(NotAllowed) as refused:
            note_export(by=principal_of_user(user), kind="ledger", rows=1, title="x")
        assert refused.value.code == "export_quota"
        assert AuditRecord.objects.filter(action="event.export", outcome="refused").count() == 1
        other, theirs = person()
        assert with_purpose(theirs).get(EXPORT).status_code == 200
    with time_machine.travel(start + timedelta(hours=25), tick=False):
        client.force_login(user)
        assert with_purpose(client).get(EXPORT).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_s48_exports_at_once_do_not_pass_together(settings: Any) -> None:
    settings.VANTAGE_EXPORT_ROWS = 10
    principal = principal_of_user(factories.user())
    passed: list[int] = []
    barrier = threading.Barrier(6)

    def take() -> None:
        barrier.wait()
        try:
            note_export(by=principal, kind="event", rows=4, title="x")
            passed.append(4)
        except NotAllowed:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert passed == [4, 4]


@pytest.mark.django_db
def test_s48_the_watcher_of_the_ledger_is_counted_too(settings: Any) -> None:
    settings.VANTAGE_EXPORT_ROWS = 0
    client = Client()
    client.force_login(factories.user(roles=("audit_admin",)))
    factories.user()
    assert client.get("/devices/ledger/export/").status_code in {200, 403}
    assert AuditRecord.objects.filter(action="ledger.export").exists()
