"""From a decoder's picture to BGR."""

from __future__ import annotations

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
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._planar: npt.NDArray[np.uint8] = np.empty((0, 0), np.uint8)

    def image(self, frame: VideoFrame) -> Image:
        """The picture as BGR, a fresh array."""
        even = frame.width % 4 == 0 and frame.height % 4 == 0
        if frame.format.name == "yuv420p" and frame.color_range != _FULL_RANGE and even:
            return np.asarray(cv2.cvtColor(self._gather(frame), cv2.COLOR_YUV2BGR_I420), np.uint8)
        converted = self._reformatter.reformat(frame, format="bgr24")
        return np.ascontiguousarray(converted.to_ndarray())

    def _gather(self, frame: VideoFrame) -> npt.NDArray[np.uint8]:
        """The three planes one after another, without the decoder's margins."""
        width, height = frame.width, frame.height
        if self._planar.shape != (height * 3 // 2, width):
            self._planar = np.empty((height * 3 // 2, width), np.uint8)
        flat, start = self._planar.reshape(-1), 0
        for plane, divisor in zip(frame.planes, (1, 2, 2), strict=True):
            across, down = width // divisor, height // divisor
            memory: Any = plane  # it has the buffer protocol, which its annotations do not say
            rows = np.frombuffer(memory, np.uint8)[: down * plane.line_size].reshape(down, plane.line_size)
            np.copyto(flat[start : start + across * down].reshape(down, across), rows[:, :across])
            start += across * down
        return self._planar
