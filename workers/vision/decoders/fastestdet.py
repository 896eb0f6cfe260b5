"""FastestDet (dog-qiuqiu/FastestDet, example/onnx-runtime/runtime.py).

Output [1, 5+C, H, W], one stride: channel 0 objectness, 1–4 box, 5… classes (0..1).
    centre = (tanh(tx) + column) / W , (tanh(ty) + row) / H      size = sigmoid(tw), sigmoid(th) of the input
    score = objectness^0.6 · class^0.4
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workers.vision.decoders.base import (
    DecoderContext,
    Tensor,
    class_count,
    corners_of,
    decoders,
    finish,
    sigmoid,
    single,
)
from workers.vision.detections import Detections


@decoders.register("fastestdet")
def decode(outputs: Sequence[Tensor], context: DecoderContext) -> Detections:
    maps = single(outputs, "fastestdet", dimensions=4)
    channels, down, across = maps.shape
    class_count(context, channels - 5, "fastestdet")
    rows = maps.reshape(channels, -1)
    # A class is at most 1: cells whose objectness alone stays below the limit cannot reach it.
    likely = np.flatnonzero(np.clip(rows[0], 0, None) ** 0.6 >= context.confidence)
    classes = rows[5:, likely]
    class_ids = classes.argmax(axis=0)
    best = classes[class_ids, np.arange(len(likely))]
    scores = np.clip(rows[0, likely], 0, None) ** 0.6 * np.clip(best, 0, 1) ** 0.4
    keep = np.flatnonzero(scores >= context.confidence)
    chosen, scores, class_ids = likely[keep], scores[keep], class_ids[keep]
    centres = np.empty((len(chosen), 4), np.float32)
    centres[:, 0] = (np.tanh(rows[1, chosen]) + chosen % across) / across
    centres[:, 1] = (np.tanh(rows[2, chosen]) + chosen // across) / down
    centres[:, 2] = sigmoid(rows[3, chosen])
    centres[:, 3] = sigmoid(rows[4, chosen])
    centres *= np.array([context.placement.input_width, context.placement.input_height] * 2, np.float32)
    return finish(corners_of(centres), scores, class_ids.astype(np.int64), context)
