import pytest
from django.db import Error, connection, transaction

from apps.core import audit
from apps.core.models import AuditRecord
from tests.support import factories

pytestmark = pytest.mark.django_db


def test_the_chain_holds_and_a_change_is_named():
    principal = factories.principal()
    rows = [audit.record(principal, "test.act", name=f"对象{number}") for number in range(4)]
    assert audit.verify().broken_seq is None
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditrecord DISABLE TRIGGER core_audit_append_only")
        cursor.execute("UPDATE core_auditrecord SET actor_name = 'x' WHERE seq = %s", [rows[1].seq])
    verdict = audit.verify()
    assert (verdict.broken_seq, verdict.reason) == (rows[1].seq, "mac")


def test_a_removed_record_is_named():
    principal = factories.principal()
    rows = [audit.record(principal, "test.act") for _ in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditrecord DISABLE TRIGGER core_audit_append_only")
        cursor.execute("DELETE FROM core_auditrecord WHERE seq = %s", [rows[1].seq])
    assert audit.verify().broken_seq == rows[1].seq


@pytest.mark.parametrize(
    "statement", ["UPDATE core_auditrecord SET action = 'x'", "DELETE FROM core_auditrecord"]
)
def test_the_database_refuses_changes(statement):
    audit.record(factories.principal(), "test.act")
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditRecord.objects.count() > 0
