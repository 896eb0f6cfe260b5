"""From a picture to a model's input tensor, as the manifest's `input` says.

width, height   pixels of the tensor
color           rgb | bgr | gray                       (pictures come as BGR)
layout          nchw | nhwc
scale, mean, std   value = (pixel × scale − mean) / std, per channel in the order of `color`
letterbox       true: aspect kept, centred · "topleft": aspect kept, top left · false: stretched
pad             0..255, what fills the rest of a letterbox (114)
dtype           float32 | uint8
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from workers.vision.frames import Image
from workers.vision.geometry import Placement

Tensor = npt.NDArray[Any]


@dataclass(frozen=True)
class InputSpec:
    """How a model wants its picture; hashable, equal specs share one prepared tensor."""

    width: int
    height: int
    color: str = "rgb"
    layout: str = "nchw"
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    letterbox: bool | str = True
    pad: int = 114
    dtype: str = "float32"

    @classmethod
    def from_manifest(cls, data: Mapping[str, Any]) -> InputSpec:
        """Read `models[].input`; raises ValueError naming the field that is wrong."""
        spec = cls(
            width=int(data["width"]),
            height=int(data["height"]),
            color=str(data.get("color", "rgb")),
            layout=str(data.get("layout", "nchw")),
            scale=float(data.get("scale", 1.0)),
            mean=_triple(data.get("mean", 0.0), "mean"),
            std=_triple(data.get("std", 1.0), "std"),
            letterbox=data.get("letterbox", True),
            pad=int(data.get("pad", 114)),
            dtype=str(data.get("dtype", "float32")),
        )
        spec.check()
        return spec

    def check(self) -> None:
        allowed: list[tuple[str, Any, tuple[Any, ...]]] = [
            ("color", self.color, ("rgb", "bgr", "gray")),
            ("layout", self.layout, ("nchw", "nhwc")),
            ("letterbox", self.letterbox, (True, False, "topleft")),
            ("dtype", self.dtype, ("float32", "uint8")),
        ]
        for name, value, values in allowed:
            if value not in values:
                raise ValueError(f"input.{name} is {value!r}, must be one of {values}")
        if not (8 <= self.width <= 4096 and 8 <= self.height <= 4096):
            raise ValueError(f"input size {self.width}×{self.height} is outside 8..4096")
        if any(value == 0 for value in self.std):
            raise ValueError("input.std must not contain 0")

    @property
    def channels(self) -> int:
        return 1 if self.color == "gray" else 3

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the tensor, batch of one."""
        if self.layout == "nchw":
            return 1, self.channels, self.height, self.width
        return 1, self.height, self.width, self.channels

    @cached_property
    def factors(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """(multiply, add) per channel: value = pixel × multiply + add."""
        mean, std = self.mean[: self.channels], self.std[: self.channels]
        return (
            tuple(self.scale / s for s in std),
            tuple(-m / s for m, s in zip(mean, std, strict=True)),
        )


def placement_for(spec: InputSpec, width: int, height: int) -> Placement:
    """Where a width × height picture lies in the input."""
    if spec.letterbox is False:
        return Placement(spec.width, spec.height, 0.0, 0.0, spec.width, spec.height)
    ratio = min(spec.width / width, spec.height / height)
    new_width, new_height = _fit(width * ratio, spec.width), _fit(height * ratio, spec.height)
    left = (spec.width - new_width) // 2 if spec.letterbox is True else 0
    top = (spec.height - new_height) // 2 if spec.letterbox is True else 0
    return Placement(new_width, new_height, left, top, spec.width, spec.height)


class Canvases:
    """Input tensors that one thread uses again and again, so that only the picture's own part is written anew.

    What `prepare` gives out of here is valid until the next call with the same spec: for one thread only.
    """

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self._kept: OrderedDict[InputSpec, tuple[Placement, Tensor]] = OrderedDict()

    def take(self, spec: InputSpec, placement: Placement) -> Tensor:
        """A tensor of `spec.shape`, padded around the placement."""
        kept = self._kept.pop(spec, None)
        if kept is None or kept[0] != placement:
            kept = placement, blank(spec, placement, kept[1] if kept else None)
        self._kept[spec] = kept
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return kept[1]


def prepare(image: Image, spec: InputSpec, canvases: Canvases | None = None) -> tuple[Tensor, Placement]:
    """Picture (h, w, 3) BGR uint8 → (tensor of `spec.shape`, where the picture lies in it)."""
    placement = placement_for(spec, image.shape[1], image.shape[0])
    size = (int(placement.scale_x), int(placement.scale_y))
    resized = image if size == (image.shape[1], image.shape[0]) else cv2.resize(image, size)
    tensor = canvases.take(spec, placement) if canvases is not None else blank(spec, placement)
    _write(resized, spec, _inner(tensor, spec, placement))
    return tensor, placement


def blank(spec: InputSpec, placement: Placement, tensor: Tensor | None = None) -> Tensor:
    """A tensor (the one given, if any) with the padding's value wherever the picture will not lie."""
    if tensor is None:
        tensor = np.empty(spec.shape, np.float32 if spec.dtype == "float32" else np.uint8)
    if (placement.scale_x, placement.scale_y) != (spec.width, spec.height):
        multiply, add = spec.factors if spec.dtype == "float32" else ((1.0,) * 3, (0.0,) * 3)
        for channel in range(spec.channels):
            value = spec.pad * multiply[channel] + add[channel]
            if spec.layout == "nchw":
                tensor[0, channel] = value
            else:
                tensor[0, :, :, channel] = value
    return tensor


def _inner(tensor: Tensor, spec: InputSpec, placement: Placement) -> Tensor:
    """The part where the picture lies, as (channels, height, width), whatever the layout."""
    planes = tensor[0] if spec.layout == "nchw" else tensor[0].transpose(2, 0, 1)
    left, top = int(placement.offset_x), int(placement.offset_y)
    inner: Tensor = planes[:, top : top + int(placement.scale_y), left : left + int(placement.scale_x)]
    return inner


def _write(picture: npt.NDArray[Any], spec: InputSpec, target: Tensor) -> None:
    """Pixels → values, plane by plane: two passes over contiguous memory and nothing in between."""
    if spec.color == "gray":
        planes: Sequence[npt.NDArray[Any]] = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)]
    else:
        planes = cv2.split(picture)
    if spec.color == "rgb":
        planes = planes[::-1]
    multiply, add = spec.factors
    for channel, plane in enumerate(planes):
        if spec.dtype == "uint8" or multiply[channel] == 1.0:
            np.copyto(target[channel], plane)
        else:
            np.multiply(plane, np.float32(multiply[channel]), out=target[channel], dtype=np.float32)
        if spec.dtype == "float32" and add[channel]:
            target[channel] += np.float32(add[channel])


def _fit(value: float, limit: int) -> int:
    return min(max(round(value), 1), limit)


def _triple(value: Any, name: str) -> tuple[float, ...]:
    if isinstance(value, (int, float)):
        return (float(value),) * 3
    if isinstance(value, Sequence) and len(value) in (1, 3):
        numbers = tuple(float(each) for each in value)
        return numbers * 3 if len(numbers) == 1 else numbers
    raise ValueError(f"input.{name} must be a number or a list of one or three numbers")
