"""Judging what waits: leased in order, one camera at a time, events and traces of its batch in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction

from apps.core import clock
from apps.core.ids import key_id
from apps.events.models import RawEvent
from apps.strategies.choices import TraceVerdict
from apps.strategies.models import PendingRun, Trace
from apps.strategies.selectors import BindingTable, binding_table
from apps.strategies.services.compiled import look_back, raw_input
from apps.strategies.services.decide import Judged, decide, store
from apps.strategies.services.lease import Leased, give_back, holding, take_dead, waiting
from apps.strategies.services.queue import MAX_ATTEMPTS
from apps.strategies.services.state import BatchContext

logger = logging.getLogger(__name__)
CAMERA_LOCKS = 7_303
_owed: list[tuple[Leased, bool]] = []
"""Leases that this process could not give back because the database was away."""


def run_pending(limit: int = 200) -> int:
    """Judge up to `limit` waiting raw events; returns how many were finished. Any number of processes may do this."""
    _pay_back()
    work = waiting()
    if work.dead:
        _give_up()
    if not (work.batch or work.alone):
        return 0
    done = 0
    with holding() as holder:
        if work.batch:
            done += _run(holder.batch(limit))
        if work.alone and done < limit:
            done += _run(holder.alone(), alone=True)
    return done


def _run(leased: Sequence[Leased], *, alone: bool = False) -> int:
    by_camera: dict[UUID, list[Leased]] = {}
    for row in leased:
        by_camera.setdefault(row.camera, []).append(row)
    done = 0
    left = dict.fromkeys(by_camera)
    try:
        for camera, rows in by_camera.items():
            done += _run_camera(camera, rows, alone=alone)
            del left[camera]
    except (OperationalError, InterfaceError):
        _owed.extend((row, alone) for camera in left for row in by_camera[camera])
        _pay_back()
        raise
    return done


def _run_camera(camera: UUID, leased: Sequence[Leased], *, alone: bool) -> int:
    """The rows of one camera in order of time; at the first failure the rest waits for its next try."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [CAMERA_LOCKS, str(camera)])
        held = _still_held(leased)
        if not held:
            return 0
        table = binding_table()
        raws = _read(held, table)
        try:
            with transaction.atomic():
                _judge(held, raws, table)
            return len(held)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.info("a batch of %d runs of camera %s failed: one by one", len(held), camera)
            return _one_by_one(held, raws, table, alone=alone)


def _one_by_one(
    held: Sequence[Leased], raws: dict[UUID, RawEvent], table: BindingTable, *, alone: bool
) -> int:
    for place, row in enumerate(held):
        try:
            with transaction.atomic():
                _judge([row], raws, table)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            logger.exception("strategy run of raw event %s failed", row.raw_event)
            _fail(row, raws.get(row.raw_event), error, alone=alone)
            give_back(held[place + 1 :])
            return place
    return len(held)


def _judge(rows: Sequence[Leased], raws: dict[UUID, RawEvent], table: BindingTable) -> None:
    """A number of statements that does not grow with the rows. A raw event that is gone needs no verdict."""
    found = [raws[row.raw_event] for row in rows if row.raw_event in raws]
    typed = [raw_input(raw) for raw in found if raw.event_type is not None]
    context = BatchContext(typed, look_back(table.versions))
    judged: list[Judged] = [decide(raw, table, context) for raw in found]
    store(judged)
    PendingRun.objects.filter(pk__in=[row.raw_event for row in rows]).delete()


def _read(rows: Sequence[Leased], table: BindingTable) -> dict[UUID, RawEvent]:
    related = ["event_type__parent", "item", "camera__managing_organisation", "camera__region"]
    found = RawEvent.objects.select_related(
        *related, *(["camera__place_type"] if table.asks_attributes else [])
    )
    return found.in_bulk([row.raw_event for row in rows])


def _still_held(leased: Sequence[Leased]) -> list[Leased]:
    """Those whose lease nobody took over while this process waited for the camera."""
    rows = PendingRun.objects.filter(pk__in=[row.raw_event for row in leased]).select_for_update()
    fences = dict(rows.values_list("raw_event", "fence"))
    return [row for row in leased if fences.get(row.raw_event) == row.fence]


def _fail(row: Leased, raw: RawEvent | None, error: Exception, *, alone: bool) -> None:
    """Try again after 2 and 4 s; after the third failure the trace says so and the row is kept for a retry."""
    attempts = max(1, row.attempts if alone else row.attempts + 1)
    delay = timedelta(seconds=2**attempts if attempts < MAX_ATTEMPTS else 0)
    PendingRun.objects.filter(pk=row.raw_event).update(
        lease_until=None,
        holder=None,
        attempts=attempts,
        due_at=clock.now() + delay,
        last_error=f"{type(error).__name__}: {error}"[:300],
    )
    if attempts >= MAX_ATTEMPTS and raw is not None:
        _trace_failure(raw, type(error).__name__)


@transaction.atomic
def _give_up() -> None:
    """Runs whose process died three times end like runs that failed three times, or they would take every worker."""
    ids = take_dead()
    for raw in RawEvent.objects.filter(pk__in=ids).select_related("camera"):
        logger.error("the process died %d times at raw event %s: given up", MAX_ATTEMPTS, raw.pk)
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


def _pay_back() -> None:
    """The database was away in the midst of a batch: this process lives, so its runs need not be tried alone."""
    while _owed:
        row, alone = _owed[-1]
        try:
            give_back([row], alone=alone)
        except (OperationalError, InterfaceError):
            connection.close_if_unusable_or_obsolete()
            return
        _owed.pop()
