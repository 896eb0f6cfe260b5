"""What every test shares: the database without the truncate guard of the audit table, fresh caches."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Transactional tests flush by TRUNCATE, which the audit table refuses outside tests."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS core_audit_no_truncate ON core_auditrecord")


@pytest.fixture
def outbound_exact(settings: Any) -> list[str]:
    """The list of loopback host:port pairs that this test's own cameras and receivers may use."""
    settings.VANTAGE_OUTBOUND_EXACT = []
    return settings.VANTAGE_OUTBOUND_EXACT
