"""Leasing due deliveries and recording what came of them (leases of 30 s, fencing, one transaction per batch)."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from apps.accounts.permissions import SYSTEM
from apps.core import audit, clock
from apps.core.ids import uuid7
from apps.core.outbound.client import Answer
from apps.openapi.choices import AttemptError, DeliveryState, DisableReason, EndpointState
from apps.openapi.models import Delivery, Subscription
from apps.openapi.services.disabling import disable
from apps.openapi.services.schedule import GIVE_UP_ON_ENDPOINT, next_due, throttle

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=30)
#: After a probe that failed.
PROBE_PAUSE = timedelta(minutes=5)
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
    RETURNING d.id, d.subscription_id, d.message, d.kind, d.event_id, d.body, d.due_at, d.attempts, d.fence,
              d.lease_until
"""
_LEASED = (
    "id",
    "subscription_id",
    "message",
    "kind",
    "event_id",
    "body",
    "due_at",
    "attempts",
    "fence",
    "lease_until",
)
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
_RECORD_SQL = """
    WITH v AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%s::json) AS v(
            id uuid, fence int, state text, attempts int, due_at timestamptz, delivered_at timestamptz, status int,
            error text, attempt uuid, at timestamptz, milliseconds int, answer text
        )
    ), written AS (
        UPDATE openapi_delivery d
        SET state = v.state, attempts = v.attempts, due_at = v.due_at, delivered_at = v.delivered_at,
            last_status = v.status, last_error = v.error, lease_until = NULL
        FROM v WHERE d.id = v.id AND d.fence = v.fence RETURNING d.id
    )
    INSERT INTO openapi_attempt (id, delivery_id, number, at, status, error, milliseconds, answer)
    SELECT v.attempt, v.id, v.attempts, v.at, v.status, v.error, v.milliseconds, v.answer
    FROM v JOIN written w ON w.id = v.id
    RETURNING delivery_id
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. `attempts` is the number before it, `fence` that of the lease it ran under."""

    delivery: UUID
    subscription: UUID
    fence: int
    attempts: int
    at: datetime
    answer: Answer

    @property
    def is_success(self) -> bool:
        """2xx, and the whole answer came in time."""
        return self.answer.status is not None and 200 <= self.answer.status < 300

    @property
    def error(self) -> str:
        """An AttemptError, or empty."""
        if self.is_success:
            return ""
        if self.answer.status is None:
            return self.answer.error
        return AttemptError.REDIRECT if 300 <= self.answer.status < 400 else AttemptError.STATUS


def lease_due(
    *, each: int, total: int, busy: Iterable[UUID] = (), only: Iterable[UUID] | None = None
) -> list[Delivery]:
    """Due rows of served endpoints, at most `each` per endpoint so that none starves another, leased for 30 s.

    Of an endpoint that was disabled and resumed one row at a time, for all processes together.
    """
    moment = clock.now()
    values: dict[str, Any] = {
        "now": moment,
        "until": moment + LEASE,
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
    leased = [dict(zip(_LEASED, row, strict=True)) for row in found]
    rows = [Delivery(**{**row, "body": _read_body(row["body"])}) for row in leased]
    wanted = {row.subscription_id for row in rows}
    known = Subscription.objects.select_related("app__organisation").in_bulk(wanted) if wanted else {}
    for row in rows:
        row.subscription = known[row.subscription_id]
    return sorted(rows, key=lambda row: (row.due_at, row.pk))


def _read_body(value: object) -> object:
    """Django leaves JSON columns of plain statements as text."""
    return json.loads(value) if isinstance(value, str) else value


@transaction.atomic
def record_outcomes(outcomes: Sequence[Outcome]) -> int:
    """Write states and attempts; what a later lease has taken over is dropped. Returns the deliveries changed."""
    if not outcomes:
        return 0
    written = _write_states(outcomes)
    known = [outcome for outcome in outcomes if outcome.delivery in written]
    _judge_endpoints(known)
    return len(known)


def release(leases: Iterable[tuple[UUID, int]]) -> None:
    """Give leases (delivery, fence) back unused."""
    held = list(leases)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE openapi_delivery d SET lease_until = NULL "
            "FROM unnest(%s::uuid[], %s::int[]) AS v(id, fence) WHERE d.id = v.id AND d.fence = v.fence",
            [[row for row, _fence in held], [fence for _row, fence in held]],
        )


def _write_states(outcomes: Sequence[Outcome]) -> set[UUID]:
    rows = [_written(outcome) for outcome in sorted(outcomes, key=lambda one: one.delivery)]
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_SQL, [json.dumps(rows)])
        return {row[0] for row in cursor.fetchall()}


def _written(outcome: Outcome) -> dict[str, object]:
    """A row for _RECORD_SQL."""
    due = next_due(outcome.attempts + 1, outcome.at, random.random)
    failed = DeliveryState.RETRYING if due else DeliveryState.DEAD
    state = DeliveryState.DELIVERED if outcome.is_success else failed
    at = outcome.at.isoformat()
    return {
        "id": str(outcome.delivery),
        "fence": outcome.fence,
        "state": state.value,
        "attempts": outcome.attempts + 1,
        "due_at": due.isoformat() if due else at,
        "delivered_at": at if outcome.is_success else None,
        "status": outcome.answer.status,
        "error": str(outcome.error),
        "attempt": str(uuid7()),
        "at": at,
        "milliseconds": outcome.answer.milliseconds,
        "answer": outcome.answer.body,
    }


def _judge_endpoints(outcomes: Sequence[Outcome]) -> None:
    good = {outcome.subscription for outcome in outcomes if outcome.is_success}
    mended = Q(failing_since__isnull=False) | Q(is_probed=True)
    Subscription.objects.filter(mended, pk__in=good).update(
        failing_since=None, is_probed=False, probe_until=None
    )
    failed: dict[UUID, list[Outcome]] = {}
    for outcome in outcomes:
        if not outcome.is_success:
            failed.setdefault(outcome.subscription, []).append(outcome)
    rows = Subscription.objects.select_for_update(of=("self",)).select_related("app").filter(pk__in=failed)
    for row in rows.order_by("pk"):
        _judge(row, failed[row.pk])


def _judge(row: Subscription, failures: list[Outcome]) -> None:
    for outcome in failures:
        if row.failing_since is None:
            row.failing_since = outcome.at
            _tell_refusal(row, outcome)
        wait = throttle(outcome.answer.status, outcome.answer.headers.get("retry-after", ""), outcome.at)
        if wait:
            row.throttled_until = max(filter(None, [row.throttled_until, outcome.at + wait]))
        if row.is_probed:
            row.probe_until = outcome.at + PROBE_PAUSE
    row.save(update_fields=["failing_since", "throttled_until", "probe_until"])
    last = failures[-1]
    if row.state != EndpointState.ACTIVE:
        return
    if any(outcome.answer.status == 410 for outcome in failures):
        disable(row, DisableReason.GONE)
    elif row.failing_since and last.at - row.failing_since >= GIVE_UP_ON_ENDPOINT:
        disable(row, DisableReason.FAILING)


def _tell_refusal(row: Subscription, outcome: Outcome) -> None:
    """The policy's reason goes to the audit once per time of failure, never to the log the bureau reads."""
    if outcome.answer.error == AttemptError.REFUSED:
        audit.record(
            SYSTEM,
            "endpoint.refused",
            row,
            outcome="refused",
            owner_id=row.app.organisation_id,
            url=row.endpoint[:300],
            reason=outcome.answer.reason,
        )
