"""Queues that are not in the settings: the analysis queue of one node, and a worker's own queue for its probes.

A frame lies on the node that took it. So its analysis is asked of that node's queue; what nobody of the node took up
in time is asked of the shared queue, and whoever takes it has the frame taken again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from celery import Celery
from django.conf import settings
from kombu import Queue

from apps.analysis.models import CaptureSlot, Execution
from apps.dispatch.selectors import live_nodes

CPU, GPU = "inference.cpu", "inference.gpu"
KINDS = (CPU, GPU)
ON_A_GPU = ("cuda", "tensorrt")
"""Platforms of packages that only a GPU runs."""
OWN_NODE = timedelta(seconds=60)
"""That long a picture's analysis is left to its own node."""


def named(name: str) -> Queue:
    """The queue of this name on the default exchange."""
    return Queue(name, routing_key=name)


def of_node(kind: str, node: str) -> Queue:
    """The analysis queue of one node."""
    return named(f"{kind}.{node}")


def probes(hostname: str) -> Queue:
    """The queue only this worker serves."""
    return named(f"worker.{hostname}")


def select_own(app: Celery, hostname: str) -> None:
    """A worker that starts serves its probes, and where it analyses, its node's own queues too."""
    queues = app.amqp.queues
    kinds = [kind for kind in KINDS if kind in (queues.consume_from or {})]
    for kind in kinds:
        queues.select_add(of_node(kind, settings.VANTAGE_NODE))
    queues.select_add(probes(hostname))


@cache
def has_gpu() -> bool:
    """Whether this node's runtime sees one; asked only where a package wants it, as the runtime is a big import."""
    from workers.vision.runtimes import providers

    return providers.present()[0] != providers.CPU


def kinds_of(slots: Iterable[CaptureSlot]) -> dict[str, list[CaptureSlot]]:
    """Slots by where their analysis must run: one package for a GPU sends the whole picture there."""
    rows = list(slots)
    wanted = {execution for slot in rows for execution in slot.executions}
    on_gpu = set(
        Execution.objects.filter(pk__in=wanted, package__platform__in=ON_A_GPU).values_list("pk", flat=True)
    )
    found: dict[str, list[CaptureSlot]] = defaultdict(list)
    for slot in rows:
        found[GPU if on_gpu.intersection(slot.executions) else CPU].append(slot)
    return dict(found)


def routes(ids: Sequence[UUID], now: datetime) -> list[tuple[Queue | str, list[UUID]]]:
    """Where the sweep sends captured slots: to the picture's own node while that lives and the picture is young."""
    alive = {node.name for node in live_nodes(now)}
    found: dict[str, list[UUID]] = defaultdict(list)
    for kind, slots in kinds_of(CaptureSlot.objects.filter(pk__in=ids)).items():
        for slot in slots:
            own = slot.node in alive and slot.captured_at is not None and now - slot.captured_at < OWN_NODE
            found[f"{kind}.{slot.node}" if own else kind].append(slot.pk)
    return [(name if name in KINDS else named(name), members) for name, members in sorted(found.items())]
