"""What goes by age: kinds of stored things, each saying what is older than a moment and deleting it in batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db import connection, transaction
from django.utils.functional import Promise

from apps.core import clock
from apps.core.ids import id_floor, id_time
from apps.core.registry import Registry


@dataclass(frozen=True, slots=True)
class Batch:
    """What was found or deleted: how many, bytes, the oldest and newest moment, SHA-256 over the sorted names."""

    count: int = 0
    size: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    digest: str = ""


def digest_of(names: Iterable[object]) -> str:
    """SHA-256 over the sorted names, one a line."""
    return hashlib.sha256("\n".join(sorted(str(name) for name in names)).encode()).hexdigest()


class Kind(Protocol):
    """A kind of stored things with an age. `is_site_wide`: no organisation has an age of its own for it.

    Each kind keeps what is locked by itself: a lock on one camera must not stop the ageing of all others.
    """

    label: str | Promise
    is_site_wide: bool

    def find(self, before: datetime, organisations: Sequence[UUID] | None) -> Batch:
        """What is older and not locked (without a digest); None: of every organisation."""

    def delete(self, before: datetime, organisations: Sequence[UUID] | None) -> Batch:
        """Delete one batch in the caller's transaction; an empty batch at the end. May run twice."""


kinds: Registry[Kind] = Registry("kind of stored things")


class Partitions:
    """Rows of a table partitioned by its time-ordered id: whole months go at once, the rest in batches.

    `locked`: SQL that is true for a row `t` that is locked (own words; may use `%(now)s`); a month that holds
    such rows loses the others in batches and stays.
    """

    is_site_wide = True
    ROWS = 5000

    def __init__(self, table: str, label: str | Promise, locked: str = "FALSE") -> None:
        self.table, self.label, self.locked = table, label, locked

    def find(self, before: datetime, organisations: Sequence[UUID] | None = None) -> Batch:
        """See Kind."""
        names = [name for name, end in self._parts() if end <= before]
        found = [self._facts(name, None) for name in names] + [self._facts(f"{self.table}_rest", before)]
        count = sum(batch.count for batch in found)
        moments = [moment for batch in found for moment in (batch.oldest, batch.newest) if moment]
        if not count:
            return Batch()
        return Batch(count, sum(batch.size for batch in found), min(moments), max(moments))

    def delete(self, before: datetime, organisations: Sequence[UUID] | None = None) -> Batch:
        """See Kind. A partition that is in use right now is left for the next time (lock_timeout)."""
        for name, end in self._parts():
            if end <= before:
                if not self._holds(name):
                    return self._drop(name)
                batch = self._delete_rows(name, before)
                if batch.count:
                    return batch
        return self._delete_rows(f"{self.table}_rest", before)

    def _holds(self, name: str) -> bool:
        """Does the partition hold a locked row?"""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT EXISTS (SELECT 1 FROM {name} t WHERE {self.locked})",  # noqa: S608 - own names
                {"now": clock.now()},
            )
            return bool(cursor.fetchone()[0])

    def _drop(self, name: str) -> Batch:
        facts = self._facts(name, None)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            cursor.execute(f"ALTER TABLE {self.table} DETACH PARTITION {name}")
            cursor.execute(f"DROP TABLE {name}")
        digest = digest_of([name, facts.count, facts.oldest, facts.newest])
        if not facts.count:  # an empty month still counts as something done, so that the next one follows
            return Batch(0, 0, None, None, digest)
        return Batch(facts.count, facts.size, facts.oldest, facts.newest, digest)

    def _delete_rows(self, name: str, before: datetime) -> Batch:
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {name} WHERE id IN (SELECT t.id FROM {name} t WHERE t.id < %(floor)s "  # noqa: S608
                f"AND NOT ({self.locked}) ORDER BY t.id LIMIT %(rows)s) RETURNING id",
                {"floor": id_floor(before), "rows": self.ROWS, "now": clock.now()},
            )
            gone = [row[0] for row in cursor.fetchall()]
        if not gone:
            return Batch()
        return Batch(len(gone), 0, id_time(min(gone)), id_time(max(gone)), digest_of(gone))

    def _parts(self) -> list[tuple[str, datetime]]:
        """(name, end) of the monthly partitions, oldest first."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i "
                "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass(%s) ORDER BY c.relname",
                [self.table],
            )
            found = cursor.fetchall()
        parts = []
        for name, bound in found:
            if " TO ('" in bound:
                parts.append((name, id_time(UUID(bound.rpartition(" TO ('")[2].split("'")[0]))))
        return parts

    def _facts(self, name: str, before: datetime | None) -> Batch:
        where = f"WHERE NOT ({self.locked})" + (" AND t.id < %(floor)s" if before else "")
        known = {"now": clock.now(), "floor": id_floor(before) if before else None}
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*), (SELECT id FROM {name} t {where} ORDER BY id LIMIT 1), "  # noqa: S608 - own names
                f"(SELECT id FROM {name} t {where} ORDER BY id DESC LIMIT 1), pg_total_relation_size('{name}') "
                f"FROM {name} t {where}",
                known,
            )
            count, first, last, size = cursor.fetchone()
        if not count:
            return Batch()
        return Batch(count, 0 if before else size, id_time(first), id_time(last))
