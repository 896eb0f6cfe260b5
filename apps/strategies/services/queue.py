"""The queue of raw events that no strategy has judged yet."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction

from apps.accounts.permissions import Principal
from apps.core import audit, clock
from apps.core.wake import wake
from apps.strategies.choices import TraceVerdict
from apps.strategies.models import PendingRun, Trace

MAX_ATTEMPTS = 3


@transaction.atomic
def queue_runs(ids: Sequence[UUID]) -> None:
    """One pending run per raw event, in the transaction that stored it; asking twice adds nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO strategies_pendingrun (raw_event, camera_id, time, due_at, attempts, fence, last_error) "
            "SELECT id, camera_id, time, %s, 0, 0, '' FROM events_rawevent WHERE id = ANY(%s::uuid[]) "
            "ON CONFLICT DO NOTHING",
            # One text: binding a thousand typed values took the driver 6 ms.
            [clock.now(), f"{{{','.join(map(str, ids))}}}"],
        )
    wake("strategies")


@transaction.atomic
def retry_failed(*, principal: Principal) -> int:
    """Put runs that failed three times back into the queue, after the cause was mended; returns how many."""
    principal.must("strategies.manage")
    failed = PendingRun.objects.filter(attempts__gte=MAX_ATTEMPTS).values("raw_event")
    visible = Trace.objects.visible_to(principal).filter(verdict=TraceVerdict.FAILED, raw_event__in=failed)
    traces = dict(visible.values_list("pk", "raw_event"))
    count = PendingRun.objects.filter(raw_event__in=traces.values()).update(
        attempts=0, due_at=clock.now(), lease_until=None, holder=None, last_error=""
    )
    Trace.objects.filter(pk__in=traces).delete()
    audit.record(principal, "strategy.retry_failed", count=count)
    wake("strategies")
    return count
