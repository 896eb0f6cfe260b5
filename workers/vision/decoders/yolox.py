"""YOLOX raw grid (Megvii YOLOX, `demo_postprocess` of yolox/utils/demo_utils.py; the ONNX export without decoding).

Output [1, N, 5+C], N = Σ (W/s)(H/s) over the strides s (8, 16, 32): per cell x, y, w, h, objectness, classes.
    centre = (xy + cell) · s        size = exp(wh) · s        score = objectness · class   (both already sigmoid)
`output.strides` may name other strides.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from workers.vision.decoders.base import (
    DecodeError,
    DecoderContext,
    Floats,
    Tensor,
    best_class,
    class_count,
    corners_of,
    decoders,
    finish,
    single,
)
from workers.vision.detections import Detections


@decoders.register("yolox")
def decode(outputs: Sequence[Tensor], context: DecoderContext) -> Detections:
    rows = single(outputs, "yolox")
    strides = tuple(int(stride) for stride in context.options.get("strides", (8, 16, 32)))
    cells, steps = grid(context.placement.input_width, context.placement.input_height, strides)
    if len(rows) != len(cells):
        raise DecodeError(f"yolox: {len(rows)} rows, but the input size has {len(cells)} cells")
    class_count(context, rows.shape[1] - 5, "yolox")
    objectness = rows[:, 4]
    # A class score is at most 1: cells whose objectness is below the limit cannot reach it.
    likely = np.flatnonzero(objectness >= context.confidence)
    if not len(likely):
        return Detections.empty(context.labels)
    keep, scores, class_ids = best_class(rows[likely, 5:], context.confidence, objectness[likely])
    chosen = likely[keep]
    centres = np.empty((len(chosen), 4), np.float32)
    centres[:, :2] = (rows[chosen, :2] + cells[chosen]) * steps[chosen]
    centres[:, 2:] = np.exp(np.clip(rows[chosen, 2:4], -20.0, 20.0)) * steps[chosen]
    return finish(corners_of(centres), scores, class_ids, context)


@lru_cache(maxsize=32)
def grid(width: int, height: int, strides: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Cells N×2 (x, y) and their strides N×1, row by row, the finest stride first."""
    cells, steps = [], []
    for stride in strides:
        across, down = width // stride, height // stride
        xs, ys = np.meshgrid(np.arange(across), np.arange(down))
        cells.append(np.stack([xs, ys], axis=2).reshape(-1, 2))
        steps.append(np.full((across * down, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(steps).astype(np.float32)
