"""What went through a strategy since midnight."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from apps.accounts.permissions import Principal
from apps.core import clock
from apps.core.ids import id_floor
from apps.strategies.choices import TraceVerdict
from apps.strategies.models import Strategy, Trace

NODE_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class StrategyCounts:
    """Raw events in, and what became of them; `nodes` is node → {passed, stopped}, of the last 20,000 runs."""

    total: int = 0
    raised: int = 0
    merged: int = 0
    stopped: int = 0
    failed: int = 0
    reasons: list[tuple[str, str, int]] = field(default_factory=list)
    nodes: dict[str, dict[str, int]] = field(default_factory=dict)


def strategy_counts(principal: Principal, strategy: Strategy) -> StrategyCounts:
    """Counts of today (local midnight) over the traces this principal may see."""
    midnight = timezone.localtime(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Trace.objects.visible_to(principal).filter(
        pk__gte=id_floor(midnight), version__strategy_id=strategy.pk
    )
    verdicts = dict(rows.values_list("verdict").annotate(n=Count("pk")).order_by())
    stopped = rows.filter(verdict=TraceVerdict.STOPPED).values_list("component", "reason")
    return StrategyCounts(
        total=sum(verdicts.values()),
        raised=verdicts.get(TraceVerdict.RAISED, 0),
        merged=verdicts.get(TraceVerdict.MERGED, 0),
        stopped=verdicts.get(TraceVerdict.STOPPED, 0),
        failed=verdicts.get(TraceVerdict.FAILED, 0),
        reasons=list(stopped.annotate(n=Count("pk")).order_by("-n")[:20]),
        nodes=_nodes(rows),
    )


def _nodes(rows: Any) -> dict[str, dict[str, int]]:
    sql, params = rows.order_by("-pk").values("steps")[:NODE_LIMIT].query.sql_with_params()
    counts: dict[str, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT step->>'node', step->>'verdict' = 'stopped', count(*) "  # noqa: S608 - the ORM's own SQL
            f"FROM ({sql}) AS traces, jsonb_array_elements(traces.steps) AS step GROUP BY 1, 2",
            params,
        )
        for node, is_stopped, count in cursor.fetchall():
            counts.setdefault(node, {"passed": 0, "stopped": 0})["stopped" if is_stopped else "passed"] = (
                count
            )
    return counts
