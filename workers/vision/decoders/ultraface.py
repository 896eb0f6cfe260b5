"""Ultra-Light-Fast face detector (Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB,
run_video_face_detection_onnx.py).

Two outputs: scores [1, N, 2] (background, face; softmax done) and boxes [1, N, 4] as corners 0..1 of the input.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workers.vision.decoders.base import (
    DecodeError,
    DecoderContext,
    Tensor,
    best_class,
    class_count,
    decoders,
    finish,
    shapes,
)
from workers.vision.detections import Detections


@decoders.register("ultraface")
def decode(outputs: Sequence[Tensor], context: DecoderContext) -> Detections:
    by_width = {output.shape[-1]: output for output in outputs if output.ndim == 3 and output.shape[0] == 1}
    boxes = by_width.get(4)
    scores = next((output for width, output in by_width.items() if width != 4), None)
    if boxes is None or scores is None or boxes.shape[1] != scores.shape[1]:
        raise DecodeError(f"ultraface reads scores [1, N, 1+C] and boxes [1, N, 4], got {shapes(outputs)}")
    faces = np.asarray(scores[0, :, 1:], np.float32)  # column 0 is background
    class_count(context, faces.shape[1], "ultraface")
    keep, best, class_ids = best_class(faces, context.confidence)
    size = np.array([context.placement.input_width, context.placement.input_height] * 2, np.float32)
    return finish(np.asarray(boxes[0], np.float32)[keep] * size, best, class_ids, context)
