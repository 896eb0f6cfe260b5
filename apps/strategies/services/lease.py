"""Which pending runs a process may do now, and what it does with those it could not finish.

A run is leased with others of its batch. Where a lease ended and its process is gone, any run of the batch may have
killed it: each of them is then tried alone, so that only the one that kills again is given up (`MAX_ATTEMPTS`).
Whether a process is alive is asked of the database: while it holds leases, its session holds an advisory lock.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, transaction

from apps.core import clock
from apps.strategies.models import PendingRun
from apps.strategies.services.queue import MAX_ATTEMPTS

LEASE = timedelta(seconds=30)
LEASE_LOCK = 7_302
HOLDER_LOCKS = 7_304

_IS_ALIVE = f"""(holder IS NOT NULL AND holder IN (
    SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = {HOLDER_LOCKS} AND objsubid = 2
    AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))"""  # noqa: S608
_IS_LEFT = f"(lease_until < %(now)s AND NOT {_IS_ALIVE})"

#: Is there anything to do, to try alone, to give up? One statement, whatever the answer.
WAITING_SQL = f"""
SELECT EXISTS (SELECT 1 FROM strategies_pendingrun
               WHERE attempts < %(most)s AND lease_until IS NULL AND due_at <= %(now)s),
       EXISTS (SELECT 1 FROM strategies_pendingrun WHERE attempts < %(most)s AND {_IS_LEFT}),
       EXISTS (SELECT 1 FROM strategies_pendingrun WHERE attempts >= %(most)s AND {_IS_LEFT})
"""  # noqa: S608 - own text

#: Rows in order of time of cameras of which no row is leased, waits for its next try or must be tried alone: a
#: camera's raw events are judged in the order of their frames. A run that was given up holds nobody up.
#: MATERIALIZED: inside `IN (…)` the planner may run the select again for each row and lock another batch each time.
BATCH_SQL = """
WITH hindered AS MATERIALIZED (
    SELECT camera_id FROM strategies_pendingrun WHERE lease_until IS NOT NULL
    UNION SELECT camera_id FROM strategies_pendingrun WHERE attempts < %(most)s AND due_at > %(now)s),
picked AS MATERIALIZED (
    SELECT raw_event FROM strategies_pendingrun
    WHERE attempts < %(most)s AND lease_until IS NULL AND due_at <= %(now)s
      AND camera_id NOT IN (SELECT camera_id FROM hindered)
    ORDER BY time, raw_event LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE strategies_pendingrun AS run SET lease_until = %(until)s, holder = %(holder)s, fence = fence + 1
FROM picked WHERE run.raw_event = picked.raw_event
RETURNING run.raw_event, run.camera_id, run.time, run.fence, run.attempts
"""

#: The first row of a camera in which a process left some, alone. Each death counts, the one in the batch too.
ALONE_SQL = f"""
WITH left_over AS MATERIALIZED (
    SELECT camera_id FROM strategies_pendingrun WHERE attempts < %(most)s AND {_IS_LEFT}),
hindered AS MATERIALIZED (
    SELECT camera_id FROM strategies_pendingrun WHERE lease_until IS NOT NULL AND NOT {_IS_LEFT}
    UNION SELECT camera_id FROM strategies_pendingrun WHERE attempts < %(most)s AND due_at > %(now)s),
picked AS MATERIALIZED (
    SELECT raw_event, lease_until IS NOT NULL AS was_leased FROM strategies_pendingrun
    WHERE attempts < %(most)s AND camera_id IN (SELECT camera_id FROM left_over)
      AND camera_id NOT IN (SELECT camera_id FROM hindered)
    ORDER BY time, raw_event LIMIT 1)
UPDATE strategies_pendingrun AS run SET lease_until = %(until)s, holder = %(holder)s, fence = fence + 1,
    attempts = CASE WHEN picked.was_leased THEN GREATEST(run.attempts, 1) + 1 ELSE run.attempts END
FROM picked WHERE run.raw_event = picked.raw_event
RETURNING run.raw_event, run.camera_id, run.time, run.fence, run.attempts
"""  # noqa: S608 - own text

DEAD_SQL = f"""
UPDATE strategies_pendingrun SET lease_until = NULL, holder = NULL, last_error = 'the process died'
WHERE attempts >= %(most)s AND {_IS_LEFT} RETURNING raw_event
"""  # noqa: S608 - own text


@dataclass(frozen=True, slots=True)
class Leased:
    """A pending run this process may do now."""

    raw_event: UUID
    camera: UUID
    time: datetime
    fence: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What there is to do: a batch, runs to try alone, runs to give up."""

    batch: bool
    alone: bool
    dead: bool


@dataclass(frozen=True, slots=True)
class Holder:
    """This process while it does runs; `number` is its lock's."""

    number: int

    def batch(self, limit: int) -> list[Leased]:
        """Up to `limit` runs, in order of time."""
        return self._lease(BATCH_SQL, limit)

    def alone(self) -> list[Leased]:
        """One run, if one has to be tried alone."""
        return self._lease(ALONE_SQL, 1)

    def _lease(self, statement: str, limit: int) -> list[Leased]:
        values = {**_now(), "until": clock.now() + LEASE, "holder": self.number, "limit": limit}
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LEASE_LOCK])
            cursor.execute(statement, values)
            rows = [Leased(*row) for row in cursor.fetchall()]
        return sorted(rows, key=lambda row: (row.time, row.raw_event))


@contextmanager
def holding() -> Iterator[Holder]:
    """Take this session's lock, so that others know that the leases' process is alive."""
    holder = Holder(random.getrandbits(31))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [HOLDER_LOCKS, holder.number])
    try:
        yield holder
    finally:
        with suppress(DatabaseError, InterfaceError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [HOLDER_LOCKS, holder.number])


def waiting() -> Waiting:
    """What there is to do now."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING_SQL, _now())
        return Waiting(*cursor.fetchone())


def give_back(rows: Sequence[Leased], *, alone: bool = False) -> None:
    """End leases that are still ours as if they had not been taken; `alone`: the try was counted when it was leased."""
    for row in rows:
        mine = PendingRun.objects.filter(pk=row.raw_event, fence=row.fence)
        attempts = max(0, row.attempts - 1) if alone else row.attempts
        mine.update(lease_until=None, holder=None, attempts=attempts)


@transaction.atomic
def take_dead() -> list[UUID]:
    """Runs whose process died `MAX_ATTEMPTS` times, no longer leased: they are given up."""
    with connection.cursor() as cursor:
        cursor.execute(DEAD_SQL, _now())
        return [identifier for (identifier,) in cursor.fetchall()]


def _now() -> dict[str, object]:
    return {"now": clock.now(), "most": MAX_ATTEMPTS}
