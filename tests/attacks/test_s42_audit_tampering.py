"""S42: a database administrator edits, deletes, reorders, inserts or cuts records; `audit verify` names the first."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.core import audit
from apps.core.models import AuditRecord
from tests.support import factories

pytestmark = pytest.mark.django_db

#: What is done in SQL → (the offset of the row that must be named, the reason).
TAMPERING = {
    "edited": ("UPDATE core_auditrecord SET actor_name = 'x' WHERE seq = {2}", 2, "mac"),
    "detail edited": ("UPDATE core_auditrecord SET detail = '{{\"a\": 1}}' WHERE seq = {2}", 2, "mac"),
    "time edited": (
        "UPDATE core_auditrecord SET at = at + interval '1 microsecond' WHERE seq = {3}",
        3,
        "mac",
    ),
    "deleted": ("DELETE FROM core_auditrecord WHERE seq = {2}", 2, "missing"),
    "deleted and renumbered": (
        "DELETE FROM core_auditrecord WHERE seq = {2}; "
        "UPDATE core_auditrecord SET seq = seq - 1 WHERE seq = {3}; "
        "UPDATE core_auditrecord SET seq = seq - 1 WHERE seq = {4}; "
        "UPDATE core_auditrecord SET seq = seq - 1 WHERE seq = {5}",
        2,
        "link",
    ),
    "reordered": (
        "UPDATE core_auditrecord SET seq = -1 WHERE seq = {2}; "
        "UPDATE core_auditrecord SET seq = {2} WHERE seq = {3}; "
        "UPDATE core_auditrecord SET seq = {3} WHERE seq = -1",
        2,
        "link",
    ),
    "copied to the end": (
        "INSERT INTO core_auditrecord SELECT {5} + 1, at, actor_kind, actor_id, actor_name, organisation_id, "
        "organisation_name, action, outcome, object_kind, object_id, object_name, owner_id, address, request_id, "
        "detail, key_id, (SELECT mac FROM core_auditrecord WHERE seq = {5}), mac "
        "FROM core_auditrecord WHERE seq = {1}",
        6,
        "mac",
    ),
    "last cut off": ("DELETE FROM core_auditrecord WHERE seq = {5}", 5, "truncated"),
    "tail cut off": ("DELETE FROM core_auditrecord WHERE seq >= {3}", 3, "truncated"),
    "everything gone": ("DELETE FROM core_auditrecord", 1, "truncated"),
}


@pytest.fixture
def rows(settings: Any, tmp_path: Path) -> list[AuditRecord]:
    """Five records (offsets 1 to 5) and a checkpoint outside; the triggers are off, as an administrator can do."""
    settings.VANTAGE_AUDIT_CHECKPOINTS = str(tmp_path / "outside" / "checkpoints.jsonl")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditrecord DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM core_auditrecord")
    principal = factories.principal(factories.organisation())
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_auditrecord")
    made = [audit.record(principal, "test.act", name=f"对象{number}", number=number) for number in range(5)]
    assert audit.checkpoint() is not None
    assert audit.verify() == audit.Verdict(5, checkpoints=1)
    return made


def _sql(statement: str, rows: list[AuditRecord]) -> None:
    numbers = ["", *(row.seq for row in rows)]
    with connection.cursor() as cursor:
        for part in statement.format(*numbers).split("; "):
            cursor.execute(part)


@pytest.mark.parametrize("way", TAMPERING)
def test_s42_the_first_broken_record_is_named(way: str, rows: list[AuditRecord]) -> None:
    statement, offset, reason = TAMPERING[way]
    _sql(statement, rows)
    verdict = audit.verify()
    assert (verdict.broken_seq, verdict.reason) == (offset, reason)
    with pytest.raises(CommandError, match=f"broken at record {offset}: {reason}"):
        call_command("audit", "verify", stdout=StringIO())


def test_s42_a_cut_end_is_not_seen_without_the_file_outside(rows: list[AuditRecord], settings: Any) -> None:
    """What the checkpoints are for."""
    _sql("DELETE FROM core_auditrecord WHERE seq = {5}", rows)
    Path(settings.VANTAGE_AUDIT_CHECKPOINTS).unlink()
    assert audit.verify() == audit.Verdict(4)


def test_s42_somebody_with_the_key_rewrites_the_chain(rows: list[AuditRecord]) -> None:
    """Even a chain that is right in itself is not the one the file outside knows."""
    _sql("DELETE FROM core_auditrecord WHERE seq >= {4}", rows)
    principal = factories.principal()
    while AuditRecord.objects.count() < 8:
        audit.record(principal, "test.forged")
    verdict = audit.verify()
    assert (verdict.broken_seq, verdict.reason) == (5, "checkpoint")


def test_s42_after_a_cut_no_checkpoint_covers_it_up(rows: list[AuditRecord]) -> None:
    _sql("DELETE FROM core_auditrecord WHERE seq >= {4}", rows)
    assert audit.checkpoint() is None
    assert audit.verify().reason == "truncated"


@pytest.mark.parametrize("edit", ["seq", "cut", "line"])
def test_s42_the_file_outside_is_edited(edit: str, rows: list[AuditRecord], settings: Any) -> None:
    audit.record(factories.principal(), "test.act")
    audit.checkpoint()
    file = Path(settings.VANTAGE_AUDIT_CHECKPOINTS)
    lines = file.read_text().splitlines()
    if edit == "seq":
        lines[0] = lines[0].replace('"seq": 5', '"seq": 4')
    elif edit == "cut":
        lines = lines[1:]
    else:
        lines[0] = "{}"
    file.write_text("\n".join(lines) + "\n")
    assert audit.verify().reason in {"checkpoints", "checkpoint"}


def test_s42_a_restore_is_noted_and_the_chain_goes_on(rows: list[AuditRecord]) -> None:
    _sql("DELETE FROM core_auditrecord WHERE seq >= {4}", rows)
    assert audit.verify().reason == "truncated"
    call_command("audit", "restored", reason="restored the backup of the day before", stdout=StringIO())
    audit.record(factories.principal(), "test.act")
    assert audit.checkpoint() is not None
    assert audit.verify().broken_seq is None


def test_s42_a_note_changed_before_it_is_chained_says_so(rows: list[AuditRecord]) -> None:
    from apps.core import outbox

    audit.note(None, "test.note", name="a")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_outboxmessage SET payload = jsonb_set(payload, '{facts,actor_name}', '\"y\"') "
            "WHERE topic = 'audit'"
        )
    while outbox.relay_once():
        pass
    record = AuditRecord.objects.get(action="test.note")
    assert record.detail == {"changed_before_chaining": True}
    assert audit.verify().broken_seq is None


def test_s42_the_database_refuses_what_a_program_may_try(settings: Any, tmp_path: Path) -> None:
    settings.VANTAGE_AUDIT_CHECKPOINTS = str(tmp_path / "none")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'core_auditrecord'::regclass AND tgenabled = 'O'"
        )
        assert "core_audit_append_only" in {name for (name,) in cursor.fetchall()}
