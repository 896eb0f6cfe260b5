"""What every test shares: the database without the truncate guard of the audit table, fresh caches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: Any, django_db_keepdb: bool, django_db_createdb: bool
) -> Iterator[None]:
    """Transactional tests flush by TRUNCATE, which the audit table refuses outside tests.

    pytest-django makes the test database only for tests that are marked; a flow of real processes is not, and would
    find the developer's own database under this connection. So it is made here then, and nothing else is ever used.
    """
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    made = []
    with django_db_blocker.unblock():
        if not _is_test_database():
            keep = django_db_keepdb and not django_db_createdb
            made = setup_databases(0, interactive=False, keepdb=keep, aliases=["default"])
        assert _is_test_database()
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS core_audit_no_truncate ON core_auditrecord")
    yield
    if made and not django_db_keepdb:
        with django_db_blocker.unblock():
            teardown_databases(made, 0)


def _is_test_database() -> bool:
    from django.db import connection

    return str(connection.settings_dict["NAME"]).startswith("test_")


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    """Each test begins in English: a request leaves its reader's language behind in the thread."""
    translation.activate("en")
    yield
    translation.deactivate()


@pytest.fixture
def outbound_exact(settings: Any) -> list[str]:
    """The list of loopback host:port pairs that this test's own cameras and receivers may use."""
    settings.VANTAGE_OUTBOUND_EXACT = []
    return settings.VANTAGE_OUTBOUND_EXACT
