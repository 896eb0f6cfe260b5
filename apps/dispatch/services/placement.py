"""Which node holds which live execution: a row with a lease of 30 s and a fence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from apps.analysis.choices import ExecutionState, Sampling
from apps.analysis.models import Execution
from apps.core.wake import wake
from apps.dispatch.selectors import live_nodes

LEASE = timedelta(seconds=30)
LIVE = (Sampling.KEYFRAMES, Sampling.FPS)
PLACEABLE = (
    ExecutionState.WAITING,
    ExecutionState.ASSIGNED,
    ExecutionState.RUNNING,
    ExecutionState.RETRYING,
    ExecutionState.PREEMPTED,
)


@transaction.atomic
def place(now: datetime) -> int:
    """Give every live execution without a living lease to the node with the fewest; all of a camera go together.

    Without any node they wait with the reason `node_offline`. Returns how many were placed.
    """
    nodes = [node.name for node in live_nodes(now) if not node.is_drained]
    rows = list(
        Execution.objects.filter(sampling__in=LIVE, state__in=PLACEABLE)
        .order_by("id")
        .select_for_update(skip_locked=True)
        .only("id", "camera_id", "node", "lease_until", "state", "state_reason")
    )
    held = [row for row in rows if _is_held(row, now, nodes)]
    loose = [row for row in rows if not _is_held(row, now, nodes)]
    if not nodes:
        stuck = [row.pk for row in loose if row.state_reason != "node_offline"]
        Execution.objects.filter(pk__in=stuck).update(
            state=ExecutionState.WAITING, state_reason="node_offline", node="", lease_until=None
        )
        return 0
    load = Counter(dict.fromkeys(nodes, 0))
    load.update(row.node for row in held)
    homes = {row.camera_id: row.node for row in held}
    by_camera: dict[UUID, list[UUID]] = defaultdict(list)
    for row in loose:
        by_camera[row.camera_id].append(row.pk)
    for camera, members in by_camera.items():
        node = homes.get(camera) or min(nodes, key=lambda name: (load[name], name))
        load[node] += len(members)
        Execution.objects.filter(pk__in=members).update(
            node=node,
            lease_until=now + LEASE,
            fence=F("fence") + 1,
            state=ExecutionState.ASSIGNED,
            state_reason="",
        )
    if loose:
        wake("streams")
    return len(loose)


def _is_held(row: Execution, now: datetime, nodes: list[str]) -> bool:
    return row.node in nodes and row.lease_until is not None and row.lease_until > now


def renew(*, node: str, held: Mapping[UUID, int], now: datetime) -> set[UUID]:
    """Prolong the leases this node holds with these fences; returns those that are still its own."""
    if not held:
        return set()
    mine = Q()
    for execution, fence in held.items():
        mine |= Q(pk=execution, fence=fence)
    rows = Execution.objects.filter(mine, node=node)
    rows.update(lease_until=now + LEASE)
    return set(rows.values_list("pk", flat=True))
