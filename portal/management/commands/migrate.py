"""`migrate`, as Django's, but it never waits long for a lock: everybody else would wait behind it."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import OperationalError, connections
from psycopg import errors

LOCK_TIMEOUT = "2s"
PATIENCE = 60
PAUSE_SECONDS = 1.0


class Command(DjangoMigrate):
    """A migration that meets a busy table gives its place in the queue back and is tried again from its beginning.

    Migrations that were applied stay applied. After PATIENCE tries it gives up, with nothing half done.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        """Django's own, tried again while locks are not to be had."""
        connection = connections[options["database"]]
        for attempt in range(1, PATIENCE + 1):
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
            try:
                super().handle(*args, **options)
                return
            except OperationalError as error:
                if not isinstance(error.__cause__, errors.LockNotAvailable) or attempt == PATIENCE:
                    raise
                self.stdout.write(f"a table is busy, trying again ({attempt})")
                self._drop_half_built(connection)
                time.sleep(PAUSE_SECONDS)
            finally:
                if connection.connection is not None and not connection.in_atomic_block:
                    with connection.cursor() as cursor:
                        cursor.execute("RESET lock_timeout")

    @staticmethod
    def _drop_half_built(connection: Any) -> None:
        """An index whose CREATE … CONCURRENTLY was given up stays behind, of no use, under its name."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                "WHERE NOT i.indisvalid AND c.relkind = 'i' "
                "AND pg_get_userbyid(c.relowner) = current_user"
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP INDEX {name}")
