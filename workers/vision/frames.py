"""One picture of a camera and the time it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Image: TypeAlias = npt.NDArray[np.uint8]
"""Pixels, shape (height, width, 3), order BGR, values 0..255."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A decoded picture.

    image: (height, width, 3) uint8, BGR. time: UTC, never goes back within one source.
    pts: seconds on the stream's own clock, None where the stream has none. keyframe: decoded from an
    intra picture. corrupt: the decoder reported damage; such a frame is counted and never analysed.
    index: number of the packet within its source, from 0.
    """

    image: Image
    time: datetime
    pts: float | None = None
    keyframe: bool = False
    corrupt: bool = False
    index: int = 0

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.image.shape[0])
