"""Nodes tell that they live and how they are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.core import clock
from apps.dispatch.choices import UnitKind
from apps.dispatch.models import ComputeNode, ComputeUnit


@transaction.atomic
def heartbeat(
    *,
    name: str,
    facts: dict[str, Any],
    load: dict[str, Any],
    started_at: datetime,
    address: str = "",
    units: Iterable[tuple[str, int, str, int]] = (),
) -> ComputeNode:
    """Every 5 s from each node. `units` are (kind, index, name, memory in MB)."""
    node, _made = ComputeNode.objects.update_or_create(
        name=name,
        defaults={
            "facts": facts,
            "load": load,
            "address": address,
            "started_at": started_at,
            "heartbeat_at": clock.now(),
        },
    )
    seen = []
    for kind, index, title, memory in units:
        unit, _made = ComputeUnit.objects.update_or_create(
            node=node, kind=UnitKind(kind), index=index, defaults={"name": title[:100], "memory_mb": memory}
        )
        seen.append(unit.pk)
    ComputeUnit.objects.filter(node=node).exclude(pk__in=seen).delete()
    return node
