"""Tables partitioned by range of their time-ordered id, from the first migration on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import connection, migrations

from apps.core.ids import id_floor

PARTITIONED = ("analysis_captureslot", "events_rawevent", "strategies_trace", "openapi_attempt")


class PartitionByRange(migrations.RunSQL):
    """Turn the freshly made, empty `table` into one partitioned by its id, with a default partition.

    Must stand in the migration that creates the table: its foreign keys and indexes are deferred SQL
    and then land on the partitioned table.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(
            sql=f"""
                ALTER TABLE {table} RENAME TO {table}_plain;
                CREATE TABLE {table} (LIKE {table}_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)
                    PARTITION BY RANGE (id);
                DROP TABLE {table}_plain;
                CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT;
            """,
            reverse_sql=migrations.RunSQL.noop,
        )

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, [self.table], {})


def _month(moment: datetime, ahead: int) -> datetime:
    index = moment.year * 12 + moment.month - 1 + ahead
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


def ensure_partitions(moment: datetime, months: int = 3) -> list[str]:
    """Make the partitions of this and the next months that are missing; returns the names made."""
    made = []
    with connection.cursor() as cursor:
        for table in PARTITIONED:
            for ahead in range(months):
                start, end = _month(moment, ahead), _month(moment, ahead + 1)
                name = f"{table}_{start:%Y%m}"
                cursor.execute("SELECT to_regclass(%s)", [name])
                if cursor.fetchone()[0] is not None:
                    continue
                low, high = id_floor(start), id_floor(end)
                cursor.execute(
                    f"SELECT 1 FROM {table}_rest WHERE id >= %s AND id < %s LIMIT 1",  # noqa: S608 - own names
                    [low, high],
                )
                if cursor.fetchone():
                    continue
                cursor.execute(
                    f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{low}') TO ('{high}')"
                )
                made.append(name)
    return made
