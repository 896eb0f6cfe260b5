"""S48: more than the quota leaves once, after somebody else approved it; a row made in SQL approves nothing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from apps.accounts.choices import RequisitionState
from apps.accounts.models import ExportRequisition, Job, Notification, User
from apps.accounts.permissions import principal_of_user
from apps.accounts.services import decide_export, request_export, withdraw_export
from apps.accounts.services.export_requisitions import LIFE, MOVES
from apps.accounts.services.exports import note_export
from apps.core import clock, sealing
from apps.core.errors import Conflict, NotAllowed, NotFound, Refusal
from apps.core.models import AuditRecord
from tests.support import factories
from tests.support.looking import chain_notes

pytestmark = pytest.mark.django_db
LIST = "/accounts/requisitions/"


@pytest.fixture(autouse=True)
def _quota(settings: Any) -> None:
    settings.VANTAGE_EXPORT_ROWS = 10
    sealing._told.clear()


def asker() -> User:
    return factories.user()


def decider(user: User) -> Any:
    return principal_of_user(factories.user(user.organisation, ("bureau_approver",)))


def asked(user: User, rows: int = 20) -> ExportRequisition:
    return request_export(by=principal_of_user(user), rows=rows, reason="年度报告")


def approved(user: User, rows: int = 20) -> ExportRequisition:
    return decide_export(by=decider(user), requisition=asked(user, rows), approve=True)


def take(user: User, rows: int) -> Job:
    return note_export(by=principal_of_user(user), kind="event", rows=rows, title="events.csv")


def is_refused(user: User, rows: int) -> bool:
    try:
        take(user, rows)
    except NotAllowed as refusal:
        return refusal.code == "export_quota"
    return False


def test_s48_an_approval_raises_the_quota_once() -> None:
    user = asker()
    assert is_refused(user, 25)
    row = approved(user)
    job = take(user, 25)
    assert job.result["requisition"] == str(row.pk)
    row.refresh_from_db()
    assert (row.state, row.used_at is not None, row.is_intact) == ("used", True, True)
    assert is_refused(user, 1), "the quota of the day is used up, and so is the approval"
    exported = AuditRecord.objects.filter(action="event.export", outcome="done").get()
    assert exported.detail["requisition"] == str(row.pk)


def test_s48_an_approval_is_kept_for_what_the_quota_does_not_cover() -> None:
    user = asker()
    row = approved(user)
    take(user, 10)
    row.refresh_from_db()
    assert row.state == "approved"
    assert is_refused(user, 21), "more than was approved"
    take(user, 20)
    row.refresh_from_db()
    assert row.state == "used"


def test_s48_asked_is_not_approved_and_refused_is_nothing() -> None:
    user = asker()
    row = asked(user)
    assert is_refused(user, 25)
    by = decider(user)
    with pytest.raises(Refusal) as without_words:
        decide_export(by=by, requisition=row, approve=False, opinion="  ")
    assert without_words.value.code == "opinion_missing"
    decide_export(by=by, requisition=row, approve=False, opinion="太多")
    assert is_refused(user, 25)
    with pytest.raises(Conflict):
        decide_export(by=by, requisition=row, approve=True)
    assert is_refused(user, 25)


def test_s48_nobody_approves_for_themselves_or_for_another_tree() -> None:
    home = factories.organisation()
    user = factories.user(home, ("bureau_approver", "bureau_officer"))
    row = asked(user)
    with pytest.raises(NotAllowed) as own:
        decide_export(by=principal_of_user(user), requisition=row, approve=True)
    assert own.value.code == "own_requisition"
    below = factories.organisation(home)
    for stranger in (factories.organisation(), below):
        with pytest.raises(NotFound):
            decide_export(
                by=factories.principal(stranger, ("bureau_approver",)), requisition=row, approve=True
            )
    with pytest.raises(NotAllowed) as unable:
        decide_export(by=factories.principal(home, ("bureau_officer",)), requisition=row, approve=True)
    assert unable.value.code == "ability_missing"
    row.refresh_from_db()
    assert row.state == "submitted"
    assert is_refused(user, 25)


def test_s48_an_organisation_above_may_decide() -> None:
    city = factories.organisation()
    user = factories.user(factories.organisation(city))
    row = decide_export(
        by=factories.principal(city, ("bureau_approver",)), requisition=asked(user), approve=True
    )
    assert row.state == "approved"


def test_s48_one_request_waits_at_a_time_and_is_taken_back() -> None:
    user = asker()
    row = asked(user)
    with pytest.raises(Conflict) as second:
        asked(user)
    assert second.value.code == "requisition_open"
    with pytest.raises(NotAllowed):
        withdraw_export(by=decider(user), requisition=row)
    withdraw_export(by=principal_of_user(user), requisition=row)
    again = asked(user)
    withdraw_export(
        by=principal_of_user(user),
        requisition=decide_export(by=decider(user), requisition=again, approve=True),
    )
    assert is_refused(user, 25)


def test_s48_an_approval_ends() -> None:
    user = asker()
    approved(user)
    with time_machine.travel(clock.now() + LIFE + timedelta(seconds=1), tick=False):
        assert is_refused(user, 25)


def test_s48_it_is_of_the_person_who_asked() -> None:
    user = asker()
    approved(user)
    assert is_refused(factories.user(user.organisation), 25)


@pytest.mark.parametrize("rows", [0, -1, 1_000_001, 10**12])
def test_s48_the_number_has_bounds(rows: int) -> None:
    with pytest.raises(Refusal) as refused:
        asked(asker(), rows)
    assert refused.value.code == "rows_out_of_range"
    assert not ExportRequisition.objects.exists()


def test_s48_every_state_is_in_the_table_of_moves() -> None:
    reached = {to for targets in MOVES.values() for to in targets}
    assert reached | {"submitted"} == set(RequisitionState.values)
    assert not {"rejected", "withdrawn", "used"} & set(MOVES), "these are ends"


TAMPERED = {
    "approved in SQL": "UPDATE accounts_exportrequisition SET state = 'approved', valid_to = now() + interval '1 day'",
    "more rows": "UPDATE accounts_exportrequisition SET rows = 1000000",
    "of another": "UPDATE accounts_exportrequisition SET user_id = %s",
    "longer": "UPDATE accounts_exportrequisition SET valid_to = now() + interval '1 year'",
    "used again": "UPDATE accounts_exportrequisition SET state = 'approved', used_at = NULL",
    "without hash": "UPDATE accounts_exportrequisition SET mac = ''",
}


@pytest.mark.parametrize("way", TAMPERED)
def test_s48_a_row_changed_in_sql_gives_nothing_and_is_told(way: str) -> None:
    watcher = factories.user(roles=("security_admin",))
    user, thief = asker(), asker()
    row = asked(user) if way == "approved in SQL" else approved(user)
    if way == "used again":
        take(user, 25)
        Job.objects.all().delete()
    taker = thief if way == "of another" else user
    with connection.cursor() as cursor:
        cursor.execute(TAMPERED[way], [thief.pk] if "%s" in TAMPERED[way] else [])
    assert is_refused(taker, 25)
    chain_notes()
    assert AuditRecord.objects.filter(action="seal.broken", object_id=str(row.pk)).exists()
    assert Notification.objects.filter(user=watcher, kind="seal.broken").exists()


def test_s48_a_broken_request_is_not_decided() -> None:
    user = asker()
    row = asked(user)
    ExportRequisition.objects.filter(pk=row.pk).update(rows=1_000_000)
    with pytest.raises(Conflict) as broken:
        decide_export(by=decider(user), requisition=row, approve=True)
    assert broken.value.code == "requisition_broken"
    assert is_refused(user, 25)


@pytest.mark.django_db(transaction=True)
def test_s48_one_approval_serves_one_of_many_at_once() -> None:
    user = asker()
    approved(user)
    passed: list[int] = []
    barrier = threading.Barrier(6)

    def run() -> None:
        barrier.wait()
        try:
            if not is_refused(user, 25):
                passed.append(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert passed == [1]


def browser(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def test_s48_from_asking_to_taking_by_the_pages() -> None:
    user = asker()
    boss = factories.user(user.organisation, ("bureau_approver",))
    mine, theirs = browser(user), browser(boss)
    assert mine.post(f"{LIST}add/", {"rows": "20", "reason": "年度报告"}).status_code == 302
    row = ExportRequisition.objects.get()
    assert Notification.objects.filter(user=boss, kind="export.request", link=LIST).exists()
    assert f"{row.pk}/withdraw/" in mine.get(LIST).content.decode()
    assert f"{row.pk}/decide/" not in mine.get(LIST).content.decode()
    assert mine.post(f"{LIST}{row.pk}/decide/", {"verdict": "approve"}).status_code == 403
    assert f"{row.pk}/decide/" in theirs.get(LIST).content.decode()
    assert (
        theirs.post(f"{LIST}{row.pk}/decide/", {"verdict": "approve", "opinion": "可以"}).status_code == 302
    )
    assert Notification.objects.filter(user=user, kind="export.decided").exists()
    take(user, 30)
    actions = set(AuditRecord.objects.values_list("action", flat=True))
    assert {"export.request", "export.approve", "event.export"} <= actions
    decided = AuditRecord.objects.get(action="export.approve")
    assert (decided.actor_id, decided.owner_id) == (str(boss.pk), str(user.organisation_id))


def test_s48_a_watcher_may_ask_too() -> None:
    """The audit administrator's ledger counts as well; their bureau's approver decides."""
    user = factories.user(roles=("audit_admin",))
    assert browser(user).post(f"{LIST}add/", {"rows": "20", "reason": "x"}).status_code == 302
    decide_export(by=decider(user), requisition=ExportRequisition.objects.get(), approve=True)
    take(user, 25)
