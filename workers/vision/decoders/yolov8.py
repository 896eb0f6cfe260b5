"""YOLOv8, v9, v11 and v12 export (ultralytics, utils/ops.py `non_max_suppression`).

Output [1, 4+C, N]: per column centre x, centre y, width, height in input pixels, then classes (0..1); there
is no objectness.
"""

from __future__ import annotations

from collections.abc import Sequence

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


@decoders.register("yolov8", "yolov9", "yolov11", "yolo11", "yolov12")
def decode(outputs: Sequence[Tensor], context: DecoderContext) -> Detections:
    rows = single(outputs[:1], "yolov8").T
    class_count(context, rows.shape[1] - 4, "yolov8")
    keep, scores, class_ids = best_class(rows[:, 4:], context.confidence)
    return finish(corners_of(rows[keep, :4]), scores, class_ids, context)
