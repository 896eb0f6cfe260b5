"""The quality gate: may this picture be analysed? Well under a millisecond at 640×360."""

from __future__ import annotations

from enum import StrEnum

from workers.vision.frames import Frame
from workers.vision.quality.measures import (
    fill_share,
    flat_share,
    levels,
    sharpness,
    smear_share,
    thumb,
)


class GateReason(StrEnum):
    """Why a picture is not analysed; OK if it is."""

    OK = "ok"
    CORRUPT = "corrupt"
    GREY = "grey"
    TORN = "torn"
    BLACK = "black"
    WHITE = "white"
    BLANK = "blank"
    BLURRED = "blurred"

    @property
    def good(self) -> bool:
        """The picture may be analysed."""
        return self is GateReason.OK


def gate(frame: Frame) -> GateReason:
    """Judge one picture by itself. Careful: only what is plainly useless is turned down."""
    if frame.corrupt:
        return GateReason.CORRUPT
    small = thumb(frame.image)
    low, high, deviation = levels(small.grey)
    if high < 20:
        return GateReason.BLACK
    if low > 240:
        return GateReason.WHITE
    if fill_share(small) > 0.3:
        return GateReason.GREY
    if deviation < 2.0 or flat_share(small.grey) > 0.97:
        return GateReason.BLANK
    if smear_share(small.grey) > 0.25:
        return GateReason.TORN
    if sharpness(small.grey) < 0.03:
        return GateReason.BLURRED
    return GateReason.OK
