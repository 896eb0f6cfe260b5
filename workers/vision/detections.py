"""What a model or an analyser saw: one value object, and the array form the decoders work on.

Boxes are (x, y, w, h) as shares 0..1 of the full frame, origin top left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Box = tuple[float, float, float, float]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_AT_ONCE = 64
"""Rows of the overlap matrix that suppression computes in one go."""
_NO_ATTRIBUTES: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing seen in one frame; `score` 0..1, `box` (x, y, w, h) 0..1."""

    label: str
    score: float
    box: Box
    class_id: int = -1
    track: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=lambda: _NO_ATTRIBUTES)

    def as_dict(self) -> dict[str, Any]:
        """The form that travels: plain types only, numbers rounded to 1e-6 so that equal is equal."""
        return {
            "label": self.label,
            "score": round(float(self.score), 6),
            "box": [round(float(value), 6) for value in self.box],
            "track": self.track,
            "attributes": dict(self.attributes),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Detection:
        x, y, w, h = (float(value) for value in data["box"])
        return cls(
            label=str(data["label"]),
            score=float(data["score"]),
            box=(x, y, w, h),
            track=data.get("track"),
            attributes=dict(data.get("attributes") or {}),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N detections as arrays: boxes N×4 xywh 0..1, scores N, class_ids N; `labels[i]` names class i."""

    boxes: FloatArray
    scores: FloatArray
    class_ids: IntArray
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.scores)
        if self.boxes.shape != (count, 4) or self.class_ids.shape != (count,):
            raise ValueError(
                f"boxes {self.boxes.shape}, scores {self.scores.shape}, class_ids {self.class_ids.shape}"
                " do not belong together"
            )

    @classmethod
    def empty(cls, labels: Sequence[str] = ()) -> Detections:
        return cls(
            np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), tuple(labels)
        )

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Detection]:
        for box, score, class_id in zip(
            self.boxes.tolist(), self.scores.tolist(), self.class_ids.tolist(), strict=True
        ):
            yield Detection(self.label_of(class_id), score, (box[0], box[1], box[2], box[3]), class_id)

    def label_of(self, class_id: int) -> str:
        return self.labels[class_id] if 0 <= class_id < len(self.labels) else str(class_id)

    def take(self, keep: npt.NDArray[Any]) -> Detections:
        """The rows of an index array or boolean mask, in that order."""
        return Detections(self.boxes[keep], self.scores[keep], self.class_ids[keep], self.labels)

    def above(self, score: float) -> Detections:
        return self.take(self.scores >= score)

    def at_least(self, size: float) -> Detections:
        """Those whose shorter relative side is at least `size` (0..1 of the frame)."""
        return self.take(self.boxes[:, 2:].min(axis=1) >= size) if len(self) else self

    def named(self, labels: Iterable[str]) -> Detections:
        wanted = set(labels)
        keep = [self.label_of(class_id) in wanted for class_id in self.class_ids.tolist()]
        return self.take(np.array(keep, bool))

    def suppressed(self, iou: float = 0.45, limit: int = 300) -> Detections:
        """Greedy non-maximum suppression per class, best first, at most `limit` kept."""
        return self.take(non_maximum_suppression(self.boxes, self.scores, self.class_ids, iou, limit))


def iou_matrix(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Intersection over union of every pair: N×4 and M×4 xywh → N×M, 0..1."""
    a_low, a_high = first[:, None, :2], first[:, None, :2] + first[:, None, 2:]
    b_low, b_high = second[None, :, :2], second[None, :, :2] + second[None, :, 2:]
    overlap = np.clip(np.minimum(a_high, b_high) - np.maximum(a_low, b_low), 0, None).prod(axis=2)
    union = first[:, None, 2:].prod(axis=2) + second[None, :, 2:].prod(axis=2) - overlap
    result: npt.NDArray[Any] = overlap / np.maximum(union, 1e-12)
    return result


def iou(first: Sequence[float], second: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    return float(iou_matrix(np.array([first], np.float64), np.array([second], np.float64))[0, 0])


def non_maximum_suppression(
    boxes: npt.NDArray[Any],
    scores: npt.NDArray[Any],
    class_ids: npt.NDArray[Any],
    iou_limit: float,
    limit: int = 300,
    candidates: int = 2000,
) -> IntArray:
    """Indices kept, best score first; ties keep the order given, so the answer is always the same.

    Classes are told apart by shifting each class's boxes out of the others' way.
    """
    order = np.argsort(-scores, kind="stable")[:candidates]
    if len(order) < 2:
        return order
    shifted = boxes[order].astype(np.float64)
    shifted[:, 0] += class_ids[order] * 4.0
    # Rows of overlaps are computed for many boxes at once: one call for each box cost ten times as much.
    alive = np.ones(len(order), bool)
    kept: list[int] = []
    for start in range(0, len(order), _AT_ONCE):
        ahead = np.flatnonzero(alive[start : start + _AT_ONCE]) + start
        if not len(ahead):
            continue
        rest = np.flatnonzero(alive[start:]) + start
        covers = iou_matrix(shifted[ahead], shifted[rest]) > iou_limit
        for row, index in enumerate(ahead.tolist()):
            if not alive[index]:
                continue
            kept.append(index)
            if len(kept) >= limit:
                return order[np.array(kept, np.int64)]
            alive[rest[covers[row]]] = False
    return order[np.array(kept, np.int64)]
