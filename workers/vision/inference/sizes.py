"""How many pixels of a frame those who look at it need: nobody's input is made by enlarging."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from workers.vision.inference.spec import BadSpec, ExecutionSpec, compile_spec
from workers.vision.runtimes.prepare import placement_for

ANALYSER_WIDTH = 320
"""No analyser looks at more than this many pixels across."""


def needed_size(specs: Collection[ExecutionSpec], width: int, height: int) -> tuple[int, int]:
    """Width and height that all executions together need of a frame of width × height."""
    inputs = {spec.model.input for spec in specs if spec.model is not None}
    placed = [placement_for(each, width, height) for each in inputs]
    least = ANALYSER_WIDTH if any(spec.analyser for spec in specs) else 1
    return (
        max([least, *(int(each.scale_x) for each in placed)]),
        max([1, *(int(each.scale_y) for each in placed)]),
    )


def look_size(specs: Iterable[Mapping[str, Any]], width: int, height: int) -> tuple[int, int]:
    """The size of a look for these specs: the frame's aspect, what they need, at most the frame itself."""
    compiled = []
    for data in specs:
        try:
            compiled.append(compile_spec(data))
        except BadSpec:
            continue  # the engine answers that one with its reason
    across, down = needed_size(compiled, width, height)
    scale = min(1.0, max(across / width, down / height))
    return max(math.ceil(width * scale - 1e-6), 1), max(math.ceil(height * scale - 1e-6), 1)
