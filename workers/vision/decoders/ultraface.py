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
    three = [output for output in outputs if output.ndim == 3 and output.shape[0] == 1]
    if len(three) != 2:
        raise DecodeError(f"ultraface reads scores [1, N, 1+C] and boxes [1, N, 4], got {shapes(outputs)}")
    # Scores come first; an export that has them the other way round shows it by the width.
    scores, boxes = three if three[1].shape[2] == 4 else reversed(three)
    if boxes.shape[2] != 4 or boxes.shape[1] != scores.shape[1]:
        raise DecodeError(f"ultraface reads scores [1, N, 1+C] and boxes [1, N, 4], got {shapes(outputs)}")
    faces = np.asarray(scores[0, :, 1:], np.float32)  # column 0 is background
    class_count(context, faces.shape[1], "ultraface")
    keep, best, class_ids = best_class(faces, context.confidence)
    size = np.array([context.placement.input_width, context.placement.input_height] * 2, np.float32)
    return finish(np.asarray(boxes[0], np.float32)[keep] * size, best, class_ids, context)
