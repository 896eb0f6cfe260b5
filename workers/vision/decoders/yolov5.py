"""YOLOv5 / YOLOv7 export with decoding (ultralytics/yolov5, models/yolo.py `Detect.forward`, utils/general.py).

Output [1, N, 5+C]: centre x, centre y, width, height in input pixels, objectness, classes (all 0..1 after
sigmoid).    score = objectness · class
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workers.vision.decoders.base import (
    DecoderContext,
    Tensor,
    best_class,
    class_count,
    corners_of,
    decoders,
    finish,
    single,
)
from workers.vision.detections import Detections


@decoders.register("yolov5", "yolov7")
def decode(outputs: Sequence[Tensor], context: DecoderContext) -> Detections:
    rows = single(outputs[:1], "yolov5")
    class_count(context, rows.shape[1] - 5, "yolov5")
    likely = np.flatnonzero(rows[:, 4] >= context.confidence)
    keep, scores, class_ids = best_class(rows[likely, 5:], context.confidence, rows[likely, 4])
    return finish(corners_of(rows[likely[keep], :4]), scores, class_ids, context)
