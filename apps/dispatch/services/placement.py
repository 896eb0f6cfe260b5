"""Which node holds which live execution: a row with a lease of 30 s and a fence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from apps.analysis.choices import ExecutionState, Sampling
from apps.analysis.models import Execution
from apps.core import clock
from apps.core.wake import wake
from apps.dispatch.selectors import live_nodes, model_of, unfit

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
    nodes, faults = [node.name for node in alive], unfit(alive)
    if not faults and not _placeable().filter(_is_loose(now)).exists():
        return 0  # as nearly always: thousands of rows are not read to find nothing to do
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
    if not nodes:
        _wait(loose, "node_offline")
        return 0
    load = Counter(dict.fromkeys(nodes, 0))
    load.update(row.node for row in held)
    homes = {row.camera_id: row.node for row in held if row.node in nodes}
    by_camera: dict[UUID, list[Execution]] = defaultdict(list)
    for row in loose:
        why = _unfit_everywhere(models.get(row.pk, ""), nodes, faults)
        if why:
            _wait([row], why)
        else:
            by_camera[row.camera_id].append(row)
    placed = 0
    for camera, members in by_camera.items():
        shas = {models.get(row.pk, "") for row in members}
        fit = [name for name in nodes if not shas & faults.get(name, {}).keys()]
        if not fit:  # no node has all models: each goes where it can
            placed += sum(
                _give([row], _least(_fit(models[row.pk], nodes, faults), load), load, now) for row in members
            )
            continue
        home = homes.get(camera)
        placed += _give(members, home if home in fit else _least(fit, load), load, now)
    if placed:
        wake("streams")
    return placed


def _placeable() -> QuerySet[Execution]:
    return Execution.objects.filter(sampling__in=LIVE, state__in=PLACEABLE)


def _is_loose(now: datetime) -> Q:
    """The opposite of `_is_held`."""
    return Q(node="") | Q(lease_until__isnull=True) | Q(lease_until__lte=now)


def _fit(sha: str, nodes: list[str], faults: Mapping[str, Mapping[str, str]]) -> list[str]:
    return [name for name in nodes if sha not in faults.get(name, {})]


def _least(nodes: list[str], load: Counter[str]) -> str:
    return min(nodes, key=lambda name: (load[name], name))


def _give(rows: list[Execution], node: str, load: Counter[str], now: datetime) -> int:
    load[node] += len(rows)
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


def _unfit_everywhere(sha: str, nodes: list[str], faults: Mapping[str, Mapping[str, str]]) -> str:
    reasons = [faults.get(name, {}).get(sha, "") for name in nodes] if sha else [""]
    return reasons[0] if all(reasons) else ""


def _is_held(row: Execution, now: datetime) -> bool:
    return bool(row.node) and row.lease_until is not None and row.lease_until > now


def leave(*, node: str) -> int:
    """The node has let go of its streams: others may take them at once. Returns how many leases were given back."""
    moment = clock.now()
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
