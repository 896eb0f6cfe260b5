"""The first strategy: confidence → minimum size → region → merge repeats → event."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from apps.strategies.engine.graph import SCHEMA_NAME


def default_graph(
    *,
    confidence: float = 0.3,
    min_width: float = 0.01,
    min_height: float = 0.01,
    window_s: float = 60,
    intervals: float = 3,
) -> dict[str, Any]:
    """The graph of the default strategy; sizes are shares of the frame, the window is in seconds."""
    nodes: list[tuple[str, str, dict[str, Any]]] = [
        ("in", "event-in@1", {}),
        ("confidence", "confidence@1", {"min": confidence}),
        ("size", "min-size@1", {"width": min_width, "height": min_height}),
        ("region", "region@1", {}),
        ("dedup", "dedup@1", {"window_s": window_s, "intervals": intervals}),
        ("out", "event-out@1", {}),
    ]
    names = [name for name, _component, _params in nodes]
    return {
        "schema": SCHEMA_NAME,
        "nodes": [
            {"id": name, "component": component, "params": params, "at": [80 + 200 * place, 120]}
            for place, (name, component, params) in enumerate(nodes)
        ],
        "edges": [{"from": f"{start}:out", "to": f"{end}:in"} for start, end in pairwise(names)],
    }
