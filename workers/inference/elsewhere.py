"""Pictures whose model is missing or damaged on this node: left to a node that has it intact."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.analysis.models import CaptureSlot
from apps.core import clock
from apps.dispatch.models import ComputeNode
from apps.dispatch.selectors import faulty_models, live_nodes, model_of
from workers.capture import shared
from workers.process import queues

logger = logging.getLogger(__name__)
OF_THIS_NODE = frozenset({"model_missing", "model_corrupt"})


def leave(
    slot: CaptureSlot, found: list[dict[str, Any]], specs: dict[UUID, dict[str, Any]]
) -> tuple[list[dict[str, Any]], str]:
    """(the results that stand, the queue of the node that is to do the rest or '').

    The slot stays open for what another living node can do; where none can, the fault is the result.
    """
    failed = [result for result in found if result["reason"] in OF_THIS_NODE]
    if not failed:
        return found, ""
    shas = {model_of(specs.get(UUID(result["execution"]), {})) for result in failed}
    node = _fit_for(shas)
    if node is None or not shared.share([slot]):
        return found, ""
    logger.warning(
        "slot %s: %d executions left to %s: %s", slot.pk, len(failed), node.name, failed[0]["reason"]
    )
    kind = next(iter(queues.kinds_of([slot])))
    return [result for result in found if result not in failed], queues.of_node(kind, node.name).name


def _fit_for(shas: set[str]) -> ComputeNode | None:
    others = (
        node
        for node in live_nodes(clock.now())
        if node.name != settings.VANTAGE_NODE
        and not node.is_drained
        and (node.load.get("engine") or {}).get("is_up")
    )
    return next((node for node in others if not shas & faulty_models(node).keys()), None)
