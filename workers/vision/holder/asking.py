"""Asking the node's stream holder for one picture, over its Unix socket.

Request: one JSON line `{"op": "picture", "camera", "max_age", "seconds"}`; with `stream_url` and `transport` the
holder opens the camera where it does not hold it, and keeps it for some seconds. Answer: one JSON line
`{"type": "picture", "width", "height", "time_us", "pts"}` and the pixels (BGR, rows from the top), or
`{"error": code, "message": words}`.
"""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from workers.vision.frames import Frame

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_PIXELS = 50_000_000
MOST_HEAD = 4096


def ask_picture(
    path: Path | str,
    camera: str,
    *,
    stream_url: str = "",
    transport: str = "auto",
    max_age: float = 5.0,
    seconds: float = 10.0,
) -> Frame | None:
    """A keyframe not older than max_age (or the next one) within `seconds`; None where the holder has none to give.

    Nobody listening is an answer at once. The frame is clean: whoever shows it paints the masks.
    """
    request: dict[str, Any] = {"op": "picture", "camera": camera, "max_age": max_age, "seconds": seconds}
    if stream_url:
        request |= {"stream_url": stream_url, "transport": transport}
    try:
        return _asked(str(path), json.dumps(request).encode() + b"\n", seconds + 2.0)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _asked(path: str, request: bytes, timeout: float) -> Frame | None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(path)
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            head = json.loads(answer.readline(MOST_HEAD) or b"{}")
            return None if "error" in head else _frame(head, answer)


def head_of(frame: Frame) -> bytes:
    """The first line of an answer."""
    return (
        json.dumps(
            {
                "type": "picture",
                "width": frame.width,
                "height": frame.height,
                "time_us": (frame.time - _EPOCH) // timedelta(microseconds=1),
                "pts": frame.pts,
            }
        ).encode()
        + b"\n"
    )


def _frame(head: dict[str, Any], answer: BinaryIO) -> Frame:
    width, height = int(head["width"]), int(head["height"])
    if not 0 < width * height <= MOST_PIXELS:
        raise ValueError("a picture of no possible size")
    data = answer.read(width * height * 3)
    image = np.frombuffer(data, np.uint8).reshape(height, width, 3)
    return Frame(image, _EPOCH + timedelta(microseconds=int(head["time_us"])), head["pts"], keyframe=True)
