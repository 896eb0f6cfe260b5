"""The other direction, written independently of the decoders: wanted boxes → the tensors a model would give.

Boxes are (x, y, w, h) 0..1 of the frame; the placement is worked out here again from the letterbox rule.
"""

from __future__ import annotations

import math

import numpy as np

Wanted = list[tuple[int, float, tuple[float, float, float, float]]]
"""(class number, score, box)"""


def to_input(box, frame, size, letterbox):
    """Centre x, centre y, width, height in input pixels."""
    (fw, fh), (w, h) = frame, size
    x, y, bw, bh = box
    if letterbox is False:
        return (x + bw / 2) * w, (y + bh / 2) * h, bw * w, bh * h
    ratio = min(w / fw, h / fh)
    nw, nh = round(fw * ratio), round(fh * ratio)
    left, top = ((w - nw) // 2, (h - nh) // 2) if letterbox is True else (0, 0)
    return left + (x + bw / 2) * nw, top + (y + bh / 2) * nh, bw * nw, bh * nh


def yolov8(wanted: Wanted, classes: int, frame, size, letterbox) -> list[np.ndarray]:
    columns = 50
    out = np.zeros((1, 4 + classes, columns), np.float32)
    for number, (label, score, box) in enumerate(wanted):
        out[0, :4, number * 3] = to_input(box, frame, size, letterbox)
        out[0, 4 + label, number * 3] = score
    return [out]


def yolov5(wanted: Wanted, classes: int, frame, size, letterbox) -> list[np.ndarray]:
    out = np.zeros((1, 60, 5 + classes), np.float32)
    for number, (label, score, box) in enumerate(wanted):
        row = out[0, number * 2 + 1]
        row[:4] = to_input(box, frame, size, letterbox)
        row[4] = 0.95
        row[5 + label] = score / 0.95
    return [out]


def yolox(wanted: Wanted, classes: int, frame, size, letterbox) -> list[np.ndarray]:
    rows = []
    for stride in (8, 16, 32):
        for cell_y in range(size[1] // stride):
            for cell_x in range(size[0] // stride):
                rows.append((cell_x, cell_y, stride))
    out = np.zeros((1, len(rows), 5 + classes), np.float32)
    for number, (label, score, box) in enumerate(wanted):
        cx, cy, w, h = to_input(box, frame, size, letterbox)
        stride = (8, 16, 32)[number % 3]
        cell = (int(cx // stride), int(cy // stride), stride)
        row = out[0, rows.index(cell)]
        row[:4] = cx / stride - cell[0], cy / stride - cell[1], math.log(w / stride), math.log(h / stride)
        row[4] = 0.9
        row[5 + label] = score / 0.9
    return [out]


def fastestdet(wanted: Wanted, classes: int, frame, size, letterbox) -> list[np.ndarray]:
    cells = size[0] // 16
    out = np.zeros((1, 5 + classes, cells, cells), np.float32)
    for label, score, box in wanted:
        cx, cy, w, h = to_input(box, frame, size, letterbox)
        x, y = cx / size[0] * cells, cy / size[1] * cells
        column, row = int(x), int(y)
        cell = out[0, :, row, column]
        cell[0] = score
        cell[1], cell[2] = math.atanh(x - column), math.atanh(y - row)
        cell[3], cell[4] = (-math.log(1 / (each) - 1) for each in (w / size[0], h / size[1]))
        cell[5 + label] = score
    return [out]


def ultraface(wanted: Wanted, classes: int, frame, size, letterbox) -> list[np.ndarray]:
    scores, boxes = np.zeros((1, 100, 1 + classes), np.float32), np.zeros((1, 100, 4), np.float32)
    scores[:, :, 0] = 1
    for number, (label, score, box) in enumerate(wanted):
        cx, cy, w, h = to_input(box, frame, size, letterbox)
        corners = (
            (cx - w / 2) / size[0],
            (cy - h / 2) / size[1],
            (cx + w / 2) / size[0],
            (cy + h / 2) / size[1],
        )
        boxes[0, number * 4] = corners
        scores[0, number * 4, 0], scores[0, number * 4, 1 + label] = 1 - score, score
    return [scores, boxes]
