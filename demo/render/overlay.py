"""The text a camera burns into its picture: its name and its clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def burn_clock(image: NDArray[np.uint8], title: str, start: datetime, time: float) -> None:
    """Writes the clock at the top left and the title at the bottom right of the picture, in place."""
    clock = (start + timedelta(seconds=time)).strftime("%Y-%m-%d %H:%M:%S")
    height, width = image.shape[:2]
    size = cv2.getTextSize(title, _FONT, 0.5, 1)[0]
    for text, at in ((clock, (10, 22)), (title, (width - size[0] - 10, height - 12))):
        cv2.putText(image, text, at, _FONT, 0.5, (20, 20, 20), 3, cv2.LINE_AA)
        cv2.putText(image, text, at, _FONT, 0.5, (244, 244, 244), 1, cv2.LINE_AA)


def clock_start(hour: int, minute: int) -> datetime:
    """The clips' invented day, so that they never change with the calendar."""
    return datetime(2026, 11, 20, hour, minute, tzinfo=UTC)
