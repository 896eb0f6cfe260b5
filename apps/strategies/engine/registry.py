"""The components there are."""

from __future__ import annotations

from apps.strategies.engine.base import Component
from apps.strategies.engine.components import (
    confidence,
    dedup,
    event_in,
    event_out,
    min_size,
    persistence,
    region,
)

COMPONENTS: dict[str, Component] = {
    module.COMPONENT.name: module.COMPONENT
    for module in (event_in, confidence, min_size, region, dedup, persistence, event_out)
}
