"""What a decoder is given and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from workers.vision.detections import Detections
from workers.vision.geometry import Placement
from workers.vision.registry import Registry

Tensor = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]


class DecodeError(ValueError):
    """The outputs do not have the shape this decoder reads; the message names both."""


@dataclass(frozen=True)
class DecoderContext:
    """placement: where the frame lies in the input. labels: class names by number.

    confidence: lowest score wanted, 0..1. iou: overlap from which the weaker box of a class goes.
    options: further fields of the manifest's `output`.
    """

    placement: Placement
    labels: tuple[str, ...]
    confidence: float = 0.25
    iou: float = 0.45
    options: Mapping[str, Any] = field(default_factory=dict)


Decoder = Callable[[Sequence[Tensor], DecoderContext], Detections]
"""Outputs of one image (batch first, batch of one) and the context → detections, best first."""

decoders: Registry[Decoder] = Registry("decoder")


def single(outputs: Sequence[Tensor], decoder: str, dimensions: int = 3) -> Floats:
    """The only output, without its batch dimension of one."""
    if not outputs or outputs[0].ndim != dimensions or outputs[0].shape[0] != 1:
        raise DecodeError(f"{decoder} reads one output of {dimensions} dimensions, got {shapes(outputs)}")
    return np.asarray(outputs[0][0], np.float32)


def shapes(outputs: Sequence[Tensor]) -> str:
    return ", ".join(str(list(output.shape)) for output in outputs) or "nothing"


def class_count(context: DecoderContext, found: int, decoder: str) -> None:
    """The manifest's labels must be as many as the model's classes."""
    if len(context.labels) != found:
        raise DecodeError(
            f"{decoder}: the output has {found} classes, the manifest names {len(context.labels)}"
        )


def sigmoid(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -60.0, 60.0))), np.float32)


def corners_of(centres: Floats) -> Floats:
    """N×4 centre x, centre y, width, height → corners x0, y0, x1, y1."""
    half = centres[:, 2:] / 2
    return np.concatenate([centres[:, :2] - half, centres[:, :2] + half], axis=1)


def finish(
    corners: Floats, scores: Floats, class_ids: npt.NDArray[np.int64], context: DecoderContext
) -> Detections:
    """Corners in input pixels → detections on the frame, suppressed, without boxes of no size."""
    if not len(scores):  # most frames show nothing: fifteen calls of NumPy on empty arrays are saved
        return Detections.empty(context.labels)
    boxes = context.placement.to_frame(corners)
    found = Detections(boxes, scores.astype(np.float32), class_ids, context.labels)
    found = found.take((boxes[:, 2] > 0) & (boxes[:, 3] > 0) & np.isfinite(boxes).all(axis=1))
    return found.suppressed(context.iou)


def best_class(
    class_scores: Floats, confidence: float, weights: Floats | None = None
) -> tuple[npt.NDArray[np.int64], Floats, npt.NDArray[np.int64]]:
    """Rows whose best class reaches `confidence`: (row indices, scores, class numbers).

    class_scores: N×C; weights: N, multiplied in (objectness).
    """
    class_ids = class_scores.argmax(axis=1)
    scores = class_scores[np.arange(len(class_ids)), class_ids]
    if weights is not None:
        scores = scores * weights
    rows = np.flatnonzero(scores >= confidence)
    return rows, scores[rows], class_ids[rows].astype(np.int64)
