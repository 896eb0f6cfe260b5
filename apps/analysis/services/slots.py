"""Slots: planned, leased with a fence, captured or not. Every write names the fence it was allowed by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q

from apps.analysis.choices import SlotState
from apps.analysis.models import CaptureSlot
from apps.core import clock
from apps.core.ids import id_floor

LEASE = timedelta(seconds=30)
LOOK_BACK = timedelta(hours=6)
"""How old an unfinished slot may be and still be found by the sweep."""
MOST_ROWS = 5_000
"""So many slots go into one statement."""


@dataclass(frozen=True, slots=True)
class PlannedSlot:
    """One row of the plan."""

    id: UUID
    camera_id: UUID
    preset: int
    planned_at: datetime
    deadline: datetime
    executions: tuple[UUID, ...]


def write_slots(slots: list[PlannedSlot]) -> int:
    """Insert what is not there, one statement for thousands; returns how many rows were new or changed.

    A slot that is planned again before it was handed out takes the newer list of executions.
    """
    with connection.cursor() as cursor:
        return sum(
            _insert(cursor, slots[start : start + MOST_ROWS]) for start in range(0, len(slots), MOST_ROWS)
        )


def _insert(cursor: Any, slots: list[PlannedSlot]) -> int:
    """The columns travel as arrays in PostgreSQL's own notation: no row is adapted by itself, no table made."""
    cursor.execute(
        "INSERT INTO analysis_captureslot (id, camera_id, preset, planned_at, deadline, executions, state, "
        "reason, frame, node, fence, attempts, open, results) "
        "SELECT p.id, p.camera_id, p.preset, p.planned_at, p.deadline, p.executions::uuid[], 'planned', '', '', "
        "'', 0, 0, cardinality(p.executions::uuid[]), '{}' "
        "FROM unnest(%s::uuid[], %s::uuid[], %s::smallint[], %s::timestamptz[], %s::timestamptz[], %s::text[]) "
        "AS p (id, camera_id, preset, planned_at, deadline, executions) "
        "JOIN devices_camera c ON c.id = p.camera_id ON CONFLICT (id) DO UPDATE SET "
        "executions = excluded.executions, open = excluded.open "
        "WHERE analysis_captureslot.state = 'planned' AND analysis_captureslot.lease_until IS NULL "
        "AND analysis_captureslot.executions <> excluded.executions",
        [
            _array(slot.id.hex for slot in slots),
            _array(slot.camera_id.hex for slot in slots),
            _array(str(slot.preset) for slot in slots),
            _array(slot.planned_at.isoformat() for slot in slots),
            _array(slot.deadline.isoformat() for slot in slots),
            _array(f'"{_array(each.hex for each in slot.executions)}"' for slot in slots),
        ],
    )
    return int(cursor.rowcount)


def _array(words: Iterable[str]) -> str:
    return "{" + ",".join(words) + "}"


def take_due(now: datetime, limit: int = 2000) -> list[UUID]:
    """Slots whose time has come, or whose worker went silent: marked as sent for one lease, oldest first.

    A silent worker's slot is planned again, or nobody could take it before this new mark has ended too.
    """
    condition = "state IN ('planned', 'leased') AND planned_at <= %s AND deadline > %s"
    return _send(condition, [now, now], now, limit, state=SlotState.PLANNED)


def take_unanalysed(now: datetime, grace: timedelta, limit: int = 2000) -> list[UUID]:
    """Captured slots with open executions that nobody works on; lease them with `again`, past the mark made here."""
    condition = "state = 'captured' AND open > 0 AND deadline > %s AND planned_at <= %s"
    return _send(condition, [now - grace, now], now, limit, state=SlotState.CAPTURED)


def _send(condition: str, values: list[datetime], now: datetime, limit: int, *, state: str) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH picked AS MATERIALIZED ("  # noqa: S608 - own text; inside IN (…) it could run once for each row
            f"SELECT id FROM analysis_captureslot WHERE id >= %s AND {condition} "
            "AND (lease_until IS NULL OR lease_until < %s) ORDER BY planned_at LIMIT %s FOR UPDATE SKIP LOCKED), "
            "sent AS (UPDATE analysis_captureslot AS slot SET lease_until = %s, state = %s FROM picked "
            "WHERE slot.id = picked.id AND slot.id >= %s RETURNING slot.planned_at, slot.id) "
            "SELECT id FROM sent ORDER BY planned_at, id",
            [id_floor(now - LOOK_BACK), *values, now, limit, now + LEASE, state, id_floor(now - LOOK_BACK)],
        )
        return [identifier for (identifier,) in cursor.fetchall()]


def lease_for_capture(ids: Iterable[UUID], *, node: str, again: bool = False) -> list[CaptureSlot]:
    """Take these slots: state leased, a higher fence, one more attempt.

    A slot that another worker holds is left alone, unless `again`: the same message was handed out a second time
    because its worker died.
    """
    free = "state = 'planned' OR state = 'leased'" + ("" if again else " AND lease_until < %(now)s")
    return _lease(f"({free}) AND deadline > %(now)s", ids, "state = 'leased', node = %(node)s", node=node)


def lease_for_inference(ids: Iterable[UUID], *, again: bool = False) -> list[CaptureSlot]:
    """Take captured slots with open executions for analysis; `attempts` then counts the tries of the analysis.

    `again`: the message came a second time, or from the sweep: whoever held the slot before lost it.
    """
    free = "" if again else " AND (attempts = 0 OR lease_until IS NULL OR lease_until < %(now)s)"
    return _lease(f"state = 'captured' AND open > 0{free}", ids)


def _lease(condition: str, ids: Iterable[UUID], changes: str = "", **values: object) -> list[CaptureSlot]:
    """One statement takes them and gives them back as they are now, in the order of their times."""
    moment = clock.now()
    rows = CaptureSlot.objects.raw(
        "WITH picked AS MATERIALIZED ("  # noqa: S608 - own text
        f"SELECT id FROM analysis_captureslot WHERE id = ANY(%(ids)s) AND {condition} "
        "ORDER BY id FOR UPDATE SKIP LOCKED), "
        "taken AS (UPDATE analysis_captureslot AS slot SET lease_until = %(until)s, fence = slot.fence + 1, "
        f"attempts = slot.attempts + 1{', ' + changes if changes else ''} FROM picked "
        "WHERE slot.id = picked.id AND slot.id = ANY(%(ids)s) RETURNING slot.*) "
        "SELECT * FROM taken ORDER BY id",
        {"ids": list(ids), "now": moment, "until": moment + LEASE, **values},
    )
    return list(rows)


def mark_captured(slot: CaptureSlot, *, frame: str, node: str, captured_at: datetime) -> bool:
    """leased → captured while the fence is still ours; the frame must be written before."""
    return bool(
        CaptureSlot.objects.filter(pk=slot.pk, fence=slot.fence, state=SlotState.LEASED).update(
            state=SlotState.CAPTURED,
            frame=frame,
            node=node,
            captured_at=captured_at,
            attempts=0,
            lease_until=clock.now() + LEASE,
        )
    )


def mark_not_captured(slot: CaptureSlot, reason: str) -> bool:
    """leased → not_captured(reason) while the fence is still ours."""
    return bool(
        CaptureSlot.objects.filter(pk=slot.pk, fence=slot.fence, state=SlotState.LEASED).update(
            state=SlotState.NOT_CAPTURED, reason=reason[:64], lease_until=None
        )
    )


def send_back(slot: CaptureSlot) -> bool:
    """The frame of a captured slot was lost: capture again while its interval lasts.

    False when it is over, and when some execution has its result already: a slot is captured or it is not.
    """
    moment = clock.now()
    if slot.deadline <= moment or slot.results:
        return False
    return bool(
        CaptureSlot.objects.filter(pk=slot.pk, fence=slot.fence, state=SlotState.CAPTURED).update(
            state=SlotState.LEASED, frame="", captured_at=None, lease_until=moment, attempts=0
        )
    )


def release(slots: Iterable[CaptureSlot], *, seconds: float = 2.0) -> None:
    """Give slots back after a failure that may pass: the sweep sends them again after `seconds`."""
    until = clock.now() + timedelta(seconds=seconds)
    for slot in slots:
        CaptureSlot.objects.filter(pk=slot.pk, fence=slot.fence).update(lease_until=until)


def overdue(now: datetime, grace: timedelta, limit: int = 1000) -> list[CaptureSlot]:
    """Slots that can no longer be captured, or whose analysis came too late; for the sweep to close."""
    idle = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    missed = Q(state__in=[SlotState.PLANNED, SlotState.LEASED], deadline__lte=now)
    late = Q(state=SlotState.CAPTURED, open__gt=0, deadline__lte=now - grace)
    untold = Q(state=SlotState.NOT_CAPTURED, open__gt=0, deadline__lte=now - timedelta(seconds=10))
    return list(
        CaptureSlot.objects.filter(
            idle & (missed | late | untold), pk__gte=id_floor(now - LOOK_BACK)
        ).order_by("id")[:limit]
    )


def backlog(now: datetime) -> dict[str, int]:
    """Unfinished slots by what they wait for."""
    rows = CaptureSlot.objects.filter(
        Q(state__in=[SlotState.PLANNED, SlotState.LEASED]) | Q(open__gt=0),
        pk__gte=id_floor(now - LOOK_BACK),
        planned_at__lte=now,
    )
    return {row["state"]: row["number"] for row in rows.values("state").annotate(number=Count("id"))}
