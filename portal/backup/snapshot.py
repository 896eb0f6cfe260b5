"""One view of the database for the dump, the counts, the audit head and the list of media."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An open REPEATABLE READ transaction; `name` lets pg_dump see exactly the same rows."""

    name: str
    server: int
    rows: psycopg.Connection[Any]


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """Open one on a connection of its own; nothing is locked but against ALTER and DROP."""
    parameters = {**connection.get_connection_params(), "autocommit": True}
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters) as rows:
        rows.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        found = rows.execute("SELECT pg_export_snapshot()").fetchone()
        assert found is not None
        yield Snapshot(str(found[0]), rows.info.server_version, rows)


def table_counts(rows: psycopg.Connection[Any]) -> dict[str, int]:
    """Rows of each table; partitions are counted in their table."""
    counts = {}
    for (name,) in rows.execute(TABLES).fetchall():
        found = rows.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))).fetchone()
        counts[str(name)] = int(found[0]) if found else 0
    return counts


def audit_head(rows: psycopg.Connection[Any]) -> dict[str, Any]:
    """Number and keyed hash of the newest audit record; number 0 where there is none."""
    found = rows.execute("SELECT seq, mac, key_id FROM core_auditrecord ORDER BY seq DESC LIMIT 1").fetchone()
    seq, mac, key_id = found or (0, "", "")
    return {"seq": seq, "mac": mac, "key_id": key_id}


def migrations(rows: psycopg.Connection[Any]) -> list[str]:
    """`app.name` of what was applied, in order of name."""
    found = rows.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
    return [f"{app}.{name}" for app, name in found]


def captures(rows: psycopg.Connection[Any]) -> Iterator[tuple[str, int, str]]:
    """(path, size, SHA-256) of each stored picture, read in portions; one that still waits in a spool is none yet."""
    with rows.cursor(name="captures") as cursor:
        cursor.itersize = 5000
        cursor.execute(
            "SELECT path, size, sha256 FROM devices_capture "
            "WHERE deleted_at IS NULL AND media_state = 'stored' ORDER BY path"
        )
        yield from cursor
