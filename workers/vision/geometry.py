"""Regions, lines and boxes in shares 0..1 of the full frame, and the way between a frame and a model's input.

A region is GeoJSON-like: `{"type": "Polygon", "space": "image-norm", "preset": 0, "coordinates": [ring, …]}`;
the first ring is the outline, the others are holes. Origin top left, x to the right, y down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from workers.vision.detections import Box, FloatArray

Point = tuple[float, float]
Ring = tuple[Point, ...]
Mask = npt.NDArray[np.bool_]

MAX_POINTS = 2000


class GeometryError(ValueError):
    """A region or line that cannot be understood; the message says which part and why."""


@dataclass(frozen=True, slots=True)
class Polygon:
    """An outline and its holes; points 0..1."""

    outline: Ring
    holes: tuple[Ring, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Polygon:
        """Read one region; raises `GeometryError` for another type, too few points, or points off the frame."""
        rings = _coordinates(data, "Polygon")
        if not isinstance(rings, Sequence) or not rings:
            raise GeometryError("a polygon needs at least one ring")
        parsed = [_ring(ring, at_least=3) for ring in rings]
        return cls(parsed[0], tuple(parsed[1:]))

    def contains(self, point: Point) -> bool:
        """Is the point inside the outline (its edge counts) and in no hole?"""
        return _inside(self.outline, point) and not any(_inside(hole, point) for hole in self.holes)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of two or more points 0..1."""

    points: Ring

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Line:
        return cls(_ring(_coordinates(data, "LineString"), at_least=2))


def polygons(regions: Iterable[Mapping[str, Any]] | None) -> tuple[Polygon, ...]:
    return tuple(Polygon.from_dict(region) for region in regions or ())


def lines(items: Iterable[Mapping[str, Any]] | None) -> tuple[Line, ...]:
    return tuple(Line.from_dict(item) for item in items or ())


def inside_any(shapes: Sequence[Polygon], point: Point) -> bool:
    return any(shape.contains(point) for shape in shapes)


def centre(box: Sequence[float]) -> Point:
    return box[0] + box[2] / 2, box[1] + box[3] / 2


def bottom_centre(box: Sequence[float]) -> Point:
    """Where a thing touches the ground, kept just inside the frame."""
    return box[0] + box[2] / 2, min(box[1] + box[3], 1.0)


def clip_box(box: Sequence[float]) -> Box:
    """The part of a box that lies inside the frame."""
    left, top = min(max(box[0], 0.0), 1.0), min(max(box[1], 0.0), 1.0)
    right, bottom = min(max(box[0] + box[2], 0.0), 1.0), min(max(box[1] + box[3], 0.0), 1.0)
    return left, top, right - left, bottom - top


def pixel_box(box: Sequence[float], width: int, height: int) -> tuple[int, int, int, int]:
    """A 0..1 box as pixel corners (x0, y0, x1, y1), clipped; x1 and y1 exclusive, at least one pixel."""
    x, y, w, h = clip_box(box)
    x0, y0 = min(int(np.floor(x * width)), width - 1), min(int(np.floor(y * height)), height - 1)
    return x0, y0, max(int(np.ceil((x + w) * width)), x0 + 1), max(int(np.ceil((y + h) * height)), y0 + 1)


def rasterise(shapes: Sequence[Polygon], width: int, height: int) -> Mask:
    """Boolean (height, width): True inside any of the shapes."""
    picture = np.zeros((height, width), np.uint8)
    for shape in shapes:
        if not shape.holes:
            cv2.fillPoly(picture, [_pixels(shape.outline, width, height)], 1)
            continue
        own = np.zeros_like(picture)
        cv2.fillPoly(own, [_pixels(shape.outline, width, height)], 1)
        for hole in shape.holes:
            cv2.fillPoly(own, [_pixels(hole, width, height)], 0)
        picture |= own
    return picture.astype(np.bool_)


def covered_share(box: Sequence[float], mask: Mask) -> float:
    """Share 0..1 of a box that a raster mask covers."""
    height, width = mask.shape
    x0, y0, x1, y1 = pixel_box(box, width, height)
    return float(mask[y0:y1, x0:x1].mean())


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a frame lies in a model's input: input pixel = frame share × scale + offset.

    frame: (width, height) of the picture that was placed; input: (width, height) of the tensor.
    """

    scale_x: float
    scale_y: float
    offset_x: float
    offset_y: float
    input_width: int
    input_height: int

    def to_frame(self, corners: npt.NDArray[Any]) -> FloatArray:
        """Corners N×4 (x0, y0, x1, y1) in input pixels → boxes N×4 xywh 0..1 of the frame, clipped."""
        if not len(corners):
            return np.zeros((0, 4), np.float32)
        offset = np.array([self.offset_x, self.offset_y] * 2, np.float64)
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float64)
        shares = np.clip((corners.astype(np.float64) - offset) / scale, 0.0, 1.0)
        shares[:, 2:] = np.maximum(shares[:, 2:] - shares[:, :2], 0.0)
        return shares.astype(np.float32)

    def to_input(self, boxes: npt.NDArray[Any]) -> FloatArray:
        """Boxes N×4 xywh 0..1 of the frame → corners N×4 in input pixels; the inverse of `to_frame`."""
        offset = np.array([self.offset_x, self.offset_y] * 2, np.float64)
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float64)
        corners = boxes.astype(np.float64).copy()
        corners[:, 2:] += corners[:, :2]
        return (corners * scale + offset).astype(np.float32)


def _coordinates(data: Mapping[str, Any], kind: str) -> Any:
    if not isinstance(data, Mapping) or data.get("type") != kind:
        raise GeometryError(
            f"expected a {kind}, got {data.get('type') if isinstance(data, Mapping) else data!r}"
        )
    if data.get("space", "image-norm") != "image-norm":
        raise GeometryError(f"unknown space {data.get('space')!r}: coordinates must be image-norm (0..1)")
    return data.get("coordinates")


def _ring(points: Any, *, at_least: int) -> Ring:
    if not isinstance(points, Sequence) or isinstance(points, str):
        raise GeometryError("coordinates must be a list of points")
    if len(points) > MAX_POINTS:
        raise GeometryError(f"{len(points)} points are too many (at most {MAX_POINTS})")
    try:
        ring = tuple((float(point[0]), float(point[1])) for point in points)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise GeometryError("each point must be two numbers") from error
    if len(ring) > 1 and ring[0] == ring[-1]:
        ring = ring[:-1]  # GeoJSON closes its rings; a raster fill closes them itself
    if len(ring) < at_least:
        raise GeometryError(f"at least {at_least} different points are needed, got {len(ring)}")
    if not all(-0.001 <= value <= 1.001 for point in ring for value in point):
        raise GeometryError("points must lie in the frame (0..1)")
    return ring


def _pixels(ring: Ring, width: int, height: int) -> npt.NDArray[np.int32]:
    pixels: npt.NDArray[np.int32] = np.rint(np.array(ring) * [width - 1, height - 1]).astype(np.int32)
    return pixels


def _inside(ring: Ring, point: Point) -> bool:
    outline = np.array(ring, np.float32).reshape(-1, 1, 2)
    return cv2.pointPolygonTest(outline, (float(point[0]), float(point[1])), False) >= 0
