"""Looks: a small raw copy of a frame beside it, for readers on the same node.

Three quarters of what the engine did besides running a model was to decode a JPEG of 1080p that it then shrank to
a few hundred pixels. Whoever has the picture in memory shrinks it once (about 0.5 ms) and puts the pixels into
the node's memory-backed folder; the engine maps them without decoding. The JPEG stays the picture that is kept,
and the engine falls back to it where a model wants more pixels than the look has.

The file: 4 bytes `VLK1`, then width, height, and the frame's own width and height as big-endian 16-bit numbers,
then BGR rows.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from workers.vision.frames import Image
from workers.vision.whole import whole_file

SUFFIX = ".look"
SIDE = 640
"""The longer side of a look, in pixels, where nobody knows what the models want."""
_HEAD = struct.Struct(">4sHHHH")
_MAGIC = b"VLK1"
_LARGEST = 4096
_MOST = _HEAD.size + _LARGEST * _LARGEST * 3


class BadLook(ValueError):
    """The file is no look, or not a whole one."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """image: (h, w, 3) BGR uint8, read-only. width, height: of the frame it was made from."""

    image: Image
    width: int
    height: int

    def serves(self, width: int, height: int) -> bool:
        """Has it the pixels asked for, or all that there are?"""
        has_all = self.image.shape[1] == self.width and self.image.shape[0] == self.height
        return bool(has_all or (self.image.shape[1] >= width and self.image.shape[0] >= height))


def fit(width: int, height: int, side: int = SIDE) -> tuple[int, int]:
    """The size of a look: the aspect kept, the longer side at most `side`, never enlarged."""
    scale = min(1.0, side / max(width, height))
    return max(round(width * scale), 1), max(round(height * scale), 1)


def shrunk(image: Image, size: tuple[int, int]) -> Image:
    """The picture at a size (width, height) not above its own: halved by areas first, which is exact and cheap."""
    while image.shape[1] >= 2 * size[0] and image.shape[0] >= 2 * size[1]:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def write_look(image: Image, path: Path, size: tuple[int, int] | None = None) -> Path:
    """Write a look of `size` (default: `fit`); a reader sees the whole file or none. Raises OSError."""
    height, width = image.shape[:2]
    small = np.ascontiguousarray(shrunk(image, size or fit(width, height)))
    head = _HEAD.pack(_MAGIC, small.shape[1], small.shape[0], min(width, 65535), min(height, 65535))
    with whole_file(path) as file:
        file.write(head)
        file.write(small.data.cast("B"))
    return path


def read_look(path: Path) -> Look:
    """Read a look. Raises FileNotFoundError and other OSErrors, `BadLook`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = np.empty(min(os.fstat(descriptor).st_size, _MOST) + 1, np.uint8)
        # One call for everything: each one lets other threads take the interpreter away.
        count = os.readv(descriptor, [data.data])
    finally:
        os.close(descriptor)
    if count < _HEAD.size:
        raise BadLook("the head is cut off")
    magic, across, down, width, height = _HEAD.unpack_from(data.data)
    if magic != _MAGIC or not (0 < across <= _LARGEST and 0 < down <= _LARGEST):
        raise BadLook("not a look")
    if count != _HEAD.size + across * down * 3:
        raise BadLook("the pixels are not complete")
    image = data[_HEAD.size : count].reshape(down, across, 3)
    image.setflags(write=False)
    return Look(image, width, height)
