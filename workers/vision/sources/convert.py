"""From a decoder's picture to BGR."""

from __future__ import annotations

import sys
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from workers.vision.frames import Image

_FULL_RANGE = 2
"""AVCOL_RANGE_JPEG"""


class PictureConverter:
    """Converts the pictures of one decoder; keeps what is dear to set up. For one thread at a time.

    Plain 4:2:0 video, which is nearly all there is, goes through OpenCV: its result lies in NumPy's memory, which
    comes in huge pages. FFmpeg's scaler took three times as long for 1080p, most of it page faults of 6 MB of fresh
    memory and a copy out of it. Both use the coefficients of BT.601 for the limited range.

    keep: pictures whose memory is used again once nobody refers to them any more, nor to a part of them.
    """

    def __init__(self, keep: int = 0) -> None:
        self._reformatter = VideoReformatter()
        self._colours = np.empty((0, 0, 2), np.uint8)
        self._keep = keep
        # Nobody ever gets the first: it shows how many references a picture has that nobody has.
        self._kept: list[Image] = [np.empty((0, 0, 3), np.uint8)]

    def image(self, frame: VideoFrame) -> Image:
        """The picture as BGR; the array is its holder's alone."""
        even = frame.width % 2 == 0 and frame.height % 2 == 0
        if frame.format.name == "yuv420p" and frame.color_range != _FULL_RANGE and even:
            light, blue, red = (_plane(frame, number) for number in range(3))
            if self._colours.shape[:2] != blue.shape:
                self._colours = np.empty((*blue.shape, 2), np.uint8)
            cv2.merge([blue, red], self._colours)
            picture = self._room((frame.height, frame.width, 3))
            cv2.cvtColorTwoPlane(light, self._colours, cv2.COLOR_YUV2BGR_NV12, picture)
            return picture
        converted = self._reformatter.reformat(frame, format="bgr24")
        return np.ascontiguousarray(converted.to_ndarray())

    def _room(self, shape: tuple[int, int, int]) -> Image:
        """Memory for a picture, used before if there is any: fresh pages cost as much as the conversion."""
        counts = [sys.getrefcount(each) for each in self._kept]
        for count, each in zip(counts, self._kept, strict=True):
            if count == counts[0] and each.shape == shape:
                return each
        fresh: Image = np.empty(shape, np.uint8)
        if self._keep:
            self._kept = [self._kept[0], fresh, *self._kept[1 : self._keep]]
        return fresh


def _plane(frame: VideoFrame, number: int) -> npt.NDArray[np.uint8]:
    """A plane of a 4:2:0 picture as it lies in the decoder's memory, without the margins."""
    divisor = 2 if number else 1
    across, down = frame.width // divisor, frame.height // divisor
    plane: Any = frame.planes[number]  # it has the buffer protocol, which its annotations do not say
    rows = np.frombuffer(plane, np.uint8)[: down * plane.line_size].reshape(down, plane.line_size)
    return rows[:, :across]
