"""Recording what came of attempts: fenced, one transaction and one statement per batch."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts.permissions import SYSTEM
from apps.core import audit
from apps.core.ids import uuid7
from apps.core.outbound.client import Answer
from apps.openapi.choices import AttemptError, DeliveryState, DisableReason, EndpointState
from apps.openapi.models import Subscription
from apps.openapi.services.arrays import execute_arrays
from apps.openapi.services.disabling import disable
from apps.openapi.services.schedule import GIVE_UP_ON_ENDPOINT, next_due, throttle

logger = logging.getLogger(__name__)
#: After a probe that failed.
PROBE_PAUSE = timedelta(minutes=5)
_RECORD_SQL = """
    WITH v AS MATERIALIZED (
        SELECT * FROM unnest(
            %b::uuid[], %b::int[], %b::text[], %b::int[], %b::timestamptz[], %b::int[], %b::text[], %b::uuid[],
            %b::timestamptz[], %b::int[], %b::text[]
        ) AS v(id, fence, state, attempts, due_at, status, error, attempt, at, milliseconds, answer)
    ), written AS (
        UPDATE openapi_delivery d
        SET state = v.state, attempts = v.attempts, due_at = v.due_at,
            delivered_at = CASE WHEN v.state = 'delivered' THEN v.at END,
            last_status = NULLIF(v.status, 0), last_error = v.error, lease_until = NULL
        FROM v WHERE d.id = v.id AND d.fence = v.fence RETURNING d.id
    )
    INSERT INTO openapi_attempt (id, delivery_id, number, at, status, error, milliseconds, answer)
    SELECT v.attempt, v.id, v.attempts, v.at, NULLIF(v.status, 0), v.error, v.milliseconds, v.answer
    FROM v JOIN written w ON w.id = v.id
    RETURNING delivery_id
"""
#: An endpoint that took a message is well.
_MEND_SQL = """
    UPDATE openapi_subscription SET failing_since = NULL, is_probed = false, probe_until = NULL
    WHERE id = ANY(%b::uuid[]) AND (failing_since IS NOT NULL OR is_probed)
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


@transaction.atomic
def record_outcomes(outcomes: Sequence[Outcome]) -> int:
    """Write states and attempts; what a later lease has taken over is dropped. Returns the deliveries changed."""
    if not outcomes:
        return 0
    written = _write_states(outcomes)
    known = [outcome for outcome in outcomes if outcome.delivery in written]
    _judge_endpoints(known)
    return len(known)


def _write_states(outcomes: Sequence[Outcome]) -> set[UUID]:
    rows = [_written(outcome) for outcome in sorted(outcomes, key=lambda one: one.delivery)]
    return {row[0] for row in execute_arrays(_RECORD_SQL, list(zip(*rows, strict=True)))}


def _written(outcome: Outcome) -> tuple[object, ...]:
    """A row for _RECORD_SQL; a status of 0 stands for none."""
    due = next_due(outcome.attempts + 1, outcome.at, random.random)
    failed = DeliveryState.RETRYING if due else DeliveryState.DEAD
    state = DeliveryState.DELIVERED if outcome.is_success else failed
    return (
        outcome.delivery,
        outcome.fence,
        state.value,
        outcome.attempts + 1,
        due or outcome.at,
        outcome.answer.status or 0,
        str(outcome.error),
        uuid7(),
        outcome.at,
        outcome.answer.milliseconds,
        outcome.answer.body,
    )


def _judge_endpoints(outcomes: Sequence[Outcome]) -> None:
    good = {outcome.subscription for outcome in outcomes if outcome.is_success}
    if good:
        execute_arrays(_MEND_SQL, [list(good)])
    failed: dict[UUID, list[Outcome]] = {}
    for outcome in outcomes:
        if not outcome.is_success:
            failed.setdefault(outcome.subscription, []).append(outcome)
    if not failed:
        return
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
