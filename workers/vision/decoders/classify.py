"""Whole-picture classification.

Output [1, C] (further dimensions of one are allowed): logits, or probabilities where `output.activation` is
"none" (default "softmax"; "sigmoid" for independent classes). Every class that reaches the confidence becomes
one detection over the whole frame; with softmax at most `output.top` of them (1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workers.vision.decoders.base import (
    DecodeError,
    DecoderContext,
    Tensor,
    class_count,
    decoders,
    shapes,
    sigmoid,
)
from workers.vision.detections import Detections


@decoders.register("classify")
def decode(outputs: Sequence[Tensor], context: DecoderContext) -> Detections:
    if not outputs or outputs[0].ndim < 2 or outputs[0].shape[0] != 1:
        raise DecodeError(f"classify reads one output [1, C], got {shapes(outputs)}")
    logits = np.asarray(outputs[0], np.float32).reshape(-1)
    class_count(context, len(logits), "classify")
    activation = context.options.get("activation", "softmax")
    if activation == "softmax":
        powers = np.exp(logits - logits.max())
        scores = powers / powers.sum()
    elif activation in ("sigmoid", "none"):
        scores = sigmoid(logits) if activation == "sigmoid" else logits
    else:
        raise DecodeError(f"classify: unknown activation {activation!r} (softmax, sigmoid or none)")
    top = int(context.options.get("top", 1 if activation == "softmax" else len(scores)))
    order = np.argsort(-scores, kind="stable")[:top]
    order = order[scores[order] >= context.confidence].astype(np.int64)
    boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (len(order), 1))
    return Detections(boxes, scores[order], order, context.labels)
