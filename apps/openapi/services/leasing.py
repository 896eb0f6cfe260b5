"""Leasing due deliveries: for 30 s, fenced, a few of each endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core import clock
from apps.openapi.models import Subscription

LEASE = timedelta(seconds=30)
_LEASE_SQL = """
    WITH picked AS (
        SELECT due.id
        FROM openapi_subscription s
        JOIN openapi_app a ON a.id = s.app_id AND a.is_active
        CROSS JOIN LATERAL (
            SELECT d.id FROM openapi_delivery d
            WHERE d.subscription_id = s.id AND d.state IN ('queued', 'retrying') AND d.due_at <= %(now)s
              AND (d.lease_until IS NULL OR d.lease_until < %(now)s)
            ORDER BY d.due_at LIMIT %(each)s FOR UPDATE SKIP LOCKED
        ) due
        WHERE s.state = 'active' AND s.is_probed = %(probing)s
          AND (s.throttled_until IS NULL OR s.throttled_until <= %(now)s)
          AND NOT s.id = ANY(%(busy)s) AND (%(only)s::uuid[] IS NULL OR s.id = ANY(%(only)s))
        LIMIT %(total)s
    )
    UPDATE openapi_delivery d SET lease_until = %(until)s, fence = d.fence + 1
    FROM picked WHERE d.id = picked.id
    RETURNING extract(epoch FROM d.due_at)::float8, d.id, d.subscription_id, d.message, d.kind, d.event_id,
              d.body::text, d.attempts, d.fence
"""
#: Whoever changes the row sends the one probing message; nobody else does before `probe_until`.
_PROBE_SQL = """
    UPDATE openapi_subscription s SET probe_until = %(until)s
    WHERE s.state = 'active' AND s.is_probed AND (s.probe_until IS NULL OR s.probe_until <= %(now)s)
      AND EXISTS (
          SELECT 1 FROM openapi_delivery d WHERE d.subscription_id = s.id AND d.state IN ('queued', 'retrying')
            AND d.due_at <= %(now)s AND (d.lease_until IS NULL OR d.lease_until < %(now)s)
      )
    RETURNING s.id
"""


@dataclass(slots=True)
class Leased:
    """What the sender needs of a delivery row. `body` is the kept message as JSON text, None before the first try."""

    pk: UUID
    subscription: Subscription
    message: UUID
    kind: str
    event_id: UUID | None
    body: str | None
    attempts: int
    fence: int
    lease_until: datetime


def lease_due(
    *, each: int, total: int, busy: Iterable[UUID] = (), only: Iterable[UUID] | None = None
) -> list[Leased]:
    """Due rows of served endpoints, at most `each` per endpoint so that none starves another, leased for 30 s.

    The endpoints take turns in the answer: the oldest row of each, then the next of each. Of an endpoint that was
    disabled and resumed there is one row at a time, for all processes together.
    """
    moment = clock.now()
    until = moment + LEASE
    values: dict[str, Any] = {
        "now": moment,
        "until": until,
        "each": each,
        "total": total,
        "busy": list(busy),
        "only": None if only is None else list(only),
    }
    with connection.cursor() as cursor:
        cursor.execute(_LEASE_SQL, {**values, "probing": False})
        found = cursor.fetchall()
        if only is None:
            cursor.execute(_PROBE_SQL, values)
            if probed := [row[0] for row in cursor.fetchall()]:
                cursor.execute(_LEASE_SQL, {**values, "probing": True, "each": 1, "only": probed, "busy": []})
                found += cursor.fetchall()
    wanted = {row[2] for row in found}
    known = Subscription.objects.select_related("app__organisation").in_bulk(wanted) if wanted else {}
    return [
        Leased(identifier, known[subscription], message, kind, event, body, attempts, fence, until)
        for _due, identifier, subscription, message, kind, event, body, attempts, fence in _in_turns(found)
        if subscription in known  # else it was deleted a moment ago, and its messages with it
    ]


def release(leases: Iterable[tuple[UUID, int]]) -> None:
    """Give leases (delivery, fence) back unused."""
    held = list(leases)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE openapi_delivery d SET lease_until = NULL "
            "FROM unnest(%s::uuid[], %s::int[]) AS v(id, fence) WHERE d.id = v.id AND d.fence = v.fence",
            [[row for row, _fence in held], [fence for _row, fence in held]],
        )


def _in_turns(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Each endpoint's rows by their due moment; no endpoint waits until all of another's are prepared."""
    rows.sort(key=lambda row: row[:2])
    turns: dict[UUID, int] = {}
    placed = []
    for place, row in enumerate(rows):
        turn = turns[row[2]] = turns.get(row[2], -1) + 1
        placed.append((turn, place))
    return [rows[place] for _turn, place in sorted(placed)]
