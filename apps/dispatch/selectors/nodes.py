"""Which nodes live."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.dispatch.models import ComputeNode

LOST_AFTER = timedelta(seconds=15)


def live_nodes(now: datetime) -> list[ComputeNode]:
    """Nodes heard of in the last 15 s."""
    return list(ComputeNode.objects.filter(heartbeat_at__gte=now - LOST_AFTER).order_by("name"))


def is_lost(node: ComputeNode, now: datetime) -> bool:
    """Silent for longer than three heartbeats."""
    return node.heartbeat_at is None or now - node.heartbeat_at > LOST_AFTER


def is_drained(name: str) -> bool:
    """Whether somebody takes this node out of use."""
    return ComputeNode.objects.filter(name=name, is_drained=True).exists()
