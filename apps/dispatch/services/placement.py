"""Which node holds which live execution: a row with a lease of 30 s and a fence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from apps.analysis.choices import ExecutionState, Sampling
from apps.analysis.models import Execution
from apps.core import clock
from apps.core.wake import wake
from apps.dispatch.models import ComputeNode
from apps.dispatch.selectors import LOST_AFTER, live_nodes, model_of, unfit

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

    A node whose copy of a model is missing or damaged gets no execution of it, and gives up those it holds. Without
    any node they wait with the reason `node_offline`; where no node has the model intact, with what is wrong with it.
    Returns how many were placed.
    """
    alive = [node for node in live_nodes(now) if not node.is_drained]
    nodes = _Nodes([node.name for node in alive], unfit(alive))
    if not nodes.faults and not _placeable().filter(_is_loose(now)).exists():
        return 0  # as nearly always: thousands of rows are not read to find nothing to do
    held, loose, models = _sorted_out(now, nodes.faults)
    if not nodes.names:
        _wait(loose, "node_offline")
        return 0
    nodes.load.update(row.node for row in held)
    homes = {row.camera_id: row.node for row in held if row.node in nodes.names}
    by_camera: dict[UUID, list[Execution]] = defaultdict(list)
    for row in loose:
        if why := nodes.fault(models.get(row.pk, "")):
            _wait([row], why)
        else:
            by_camera[row.camera_id].append(row)
    placed = sum(_settle(rows, homes.get(camera), models, nodes, now) for camera, rows in by_camera.items())
    if placed:
        wake("streams")
    return placed


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Nodes that may take work, the models each cannot run (SHA-256 → why), and how many executions each has."""

    names: list[str]
    faults: Mapping[str, Mapping[str, str]]
    load: Counter[str] = field(default_factory=Counter)

    def fit(self, models: Iterable[str]) -> list[str]:
        """Those that can run all of these models."""
        wanted = set(models)
        return [name for name in self.names if not wanted & self.faults.get(name, {}).keys()]

    def fault(self, model: str) -> str:
        """Why no node can run this model; empty where one can."""
        return "" if self.fit([model]) else self.faults[self.names[0]][model]

    def least(self, names: Iterable[str]) -> str:
        """The one of these with the fewest executions."""
        return min(names, key=lambda name: (self.load[name], name))


def _sorted_out(
    now: datetime, faults: Mapping[str, Mapping[str, str]]
) -> tuple[list[Execution], list[Execution], dict[UUID, str]]:
    """Executions that stay where they are, those that need a node, and the models of all where one is at fault."""
    columns = ["id", "camera_id", "node", "lease_until", "state", "state_reason"]
    rows = list(
        _placeable()
        .order_by("id")
        .select_for_update(skip_locked=True)
        .only(*columns, *(["spec"] if faults else []))
    )
    models = {row.pk: model_of(row.spec) for row in rows} if faults else {}
    unfit_homes = {
        (row.camera_id, row.node) for row in rows if models.get(row.pk) in faults.get(row.node, {})
    }
    held, loose = [], []
    for row in rows:
        keeps = _is_held(row, now) and (row.camera_id, row.node) not in unfit_homes
        (held if keeps else loose).append(row)
    return held, loose, models


def _settle(
    rows: list[Execution], home: str | None, models: Mapping[UUID, str], nodes: _Nodes, now: datetime
) -> int:
    """The executions of one camera go to its home, else together to another node; apart where none has all models."""
    fit = nodes.fit(models.get(row.pk, "") for row in rows)
    if fit:
        return _give(rows, home if home in fit else nodes.least(fit), nodes, now)
    return sum(_give([row], nodes.least(nodes.fit([models[row.pk]])), nodes, now) for row in rows)


def _placeable() -> QuerySet[Execution]:
    return Execution.objects.filter(sampling__in=LIVE, state__in=PLACEABLE)


def _is_loose(now: datetime) -> Q:
    """The opposite of `_is_held`."""
    return Q(node="") | Q(lease_until__isnull=True) | Q(lease_until__lte=now)


def _give(rows: list[Execution], node: str, nodes: _Nodes, now: datetime) -> int:
    nodes.load[node] += len(rows)
    Execution.objects.filter(pk__in=[row.pk for row in rows]).update(
        node=node,
        lease_until=now + LEASE,
        fence=F("fence") + 1,
        state=ExecutionState.ASSIGNED,
        state_reason="",
    )
    return len(rows)


def _wait(rows: list[Execution], reason: str) -> None:
    """Waiting, once: rows that say so already are left alone. The fence rises, so that no node goes on with them."""
    news = [row.pk for row in rows if (row.state, row.state_reason, row.node) != ("waiting", reason, "")]
    Execution.objects.filter(pk__in=news).update(
        state=ExecutionState.WAITING, state_reason=reason, node="", lease_until=None, fence=F("fence") + 1
    )


def _is_held(row: Execution, now: datetime) -> bool:
    return bool(row.node) and row.lease_until is not None and row.lease_until > now


@transaction.atomic
def leave(*, node: str, is_ending: bool = False) -> int:
    """The node has let go of its streams: others may take them at once. Returns how many leases were given back.

    is_ending: its holder ends, so the node counts as lost until it is heard of again, or it would get them back.
    """
    moment = clock.now()
    if is_ending:
        ComputeNode.objects.filter(name=node).update(heartbeat_at=moment - LOST_AFTER - timedelta(seconds=1))
    given = Execution.objects.filter(node=node, lease_until__gt=moment).update(lease_until=moment)
    if given:
        wake("analysis")
    return given


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
