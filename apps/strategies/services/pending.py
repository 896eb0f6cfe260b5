"""Judging what waits: leased in order, one camera at a time, trace and event in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from apps.core import clock
from apps.core.ids import key_id
from apps.events.models import RawEvent
from apps.strategies.choices import TraceVerdict
from apps.strategies.models import PendingRun, Trace
from apps.strategies.selectors import BindingTable
from apps.strategies.services.decide import decide
from apps.strategies.services.queue import MAX_ATTEMPTS
from apps.strategies.services.state import MainEvents, widest_window

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=30)
LEASE_LOCK = 7_302
CAMERA_LOCKS = 7_303

#: Rows in order of time of cameras of which no row is leased elsewhere or waits for its next try: a camera's raw
#: events are judged in the order of their frames. A run that failed for good holds nobody up. MATERIALIZED: inside
#: `IN (…)` the planner may run the select again for each row, and each time it would lock another batch.
LEASE_SQL = """
WITH picked AS MATERIALIZED (
    SELECT raw_event FROM strategies_pendingrun AS due
    WHERE attempts < %(attempts)s AND due_at <= %(now)s AND (lease_until IS NULL OR lease_until < %(now)s)
      AND NOT EXISTS (
        SELECT 1 FROM strategies_pendingrun AS busy
        WHERE busy.camera_id = due.camera_id AND busy.attempts < %(attempts)s
          AND (busy.lease_until >= %(now)s OR busy.due_at > %(now)s))
    ORDER BY time, raw_event LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE strategies_pendingrun AS run SET lease_until = %(until)s, fence = fence + 1, attempts = attempts + 1
FROM picked WHERE run.raw_event = picked.raw_event
RETURNING run.raw_event, run.camera_id, run.time, run.fence, run.attempts
"""


@dataclass(frozen=True, slots=True)
class Leased:
    """A pending run this process may do now."""

    raw_event: UUID
    camera: UUID
    time: object
    fence: int
    attempts: int


def run_pending(limit: int = 200) -> int:
    """Judge up to `limit` waiting raw events; returns how many were finished. Any number of processes may do this."""
    _bury()
    by_camera: dict[UUID, list[Leased]] = {}
    for row in _lease(limit):
        by_camera.setdefault(row.camera, []).append(row)
    return sum(_run_camera(camera, rows) for camera, rows in by_camera.items())


def _lease(limit: int) -> list[Leased]:
    moment = clock.now()
    values = {"now": moment, "until": moment + LEASE, "attempts": MAX_ATTEMPTS, "limit": limit}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LEASE_LOCK])
        cursor.execute(LEASE_SQL, values)
        rows = [Leased(*row) for row in cursor.fetchall()]
    return sorted(rows, key=lambda row: (row.time, row.raw_event))


def _run_camera(camera: UUID, leased: Sequence[Leased]) -> int:
    """The rows of one camera in order of time; at the first failure the rest waits for its next try."""
    done = 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [CAMERA_LOCKS, str(camera)])
        held = _still_held(leased)
        ids = [row.raw_event for row in held]
        related = RawEvent.objects.select_related(
            "event_type", "item", "camera__managing_organisation", "camera__region", "camera__place_type"
        )
        raws = {raw.pk: raw for raw in related.filter(pk__in=ids)}
        table = BindingTable()
        mains = MainEvents(raws.values(), widest_window(table, raws.values()))
        for place, row in enumerate(held):
            raw = raws.get(row.raw_event)
            try:
                with transaction.atomic():
                    if raw is not None:
                        decide(raw, table, mains)
                    PendingRun.objects.filter(pk=row.raw_event).delete()
            except Exception as error:
                logger.exception("strategy run of raw event %s failed", row.raw_event)
                _fail(row, raw, error)
                _give_back([later.raw_event for later in held[place + 1 :]])
                break
            done += 1
    return done


def _still_held(leased: Sequence[Leased]) -> list[Leased]:
    """Those whose lease nobody took over while this process waited for the camera."""
    rows = PendingRun.objects.filter(pk__in=[row.raw_event for row in leased]).select_for_update()
    fences = dict(rows.values_list("raw_event", "fence"))
    return [row for row in leased if fences.get(row.raw_event) == row.fence]


def _fail(row: Leased, raw: RawEvent | None, error: Exception) -> None:
    """Try again after 2 and 4 s; after the third failure the trace says so and the row is kept for a retry."""
    delay = timedelta(seconds=2**row.attempts if row.attempts < MAX_ATTEMPTS else 0)
    PendingRun.objects.filter(pk=row.raw_event).update(
        lease_until=None, due_at=clock.now() + delay, last_error=f"{type(error).__name__}: {error}"[:300]
    )
    if row.attempts >= MAX_ATTEMPTS and raw is not None:
        _trace_failure(raw, type(error).__name__)


@transaction.atomic
def _bury() -> None:
    """Runs whose process died three times are given up in the same way, or they would take every worker along."""
    dead = PendingRun.objects.filter(attempts__gte=MAX_ATTEMPTS, lease_until__lt=clock.now())
    ids = [row.raw_event for row in dead.select_for_update(skip_locked=True)]
    if not ids:
        return
    PendingRun.objects.filter(pk__in=ids).update(lease_until=None, last_error="the process died")
    for raw in RawEvent.objects.filter(pk__in=ids).select_related("camera"):
        _trace_failure(raw, "process_died")


def _trace_failure(raw: RawEvent, reason: str) -> None:
    Trace.objects.update_or_create(
        pk=key_id(raw.time, raw.pk, "failed"),
        defaults={
            "raw_event": raw.pk,
            "camera": raw.camera,
            "time": raw.time,
            "verdict": TraceVerdict.FAILED,
            "reason": reason[:64],
            "organisations": raw.organisations,
            "ran_at": clock.now(),
        },
    )


def _give_back(ids: list[UUID]) -> None:
    PendingRun.objects.filter(pk__in=ids).update(lease_until=None, attempts=F("attempts") - 1)
