"""Our Celery application with one input on which the process dies, as by a defect in a decoder."""

from __future__ import annotations

import os
import signal
from typing import Any

from portal.celery import app

__all__ = ["app"]
POISON = os.environ["TEST_POISON"]
HOW = os.environ.get("TEST_POISON_HOW", "exit")
WHERE = os.environ.get("TEST_POISON_WHERE", "capture")


def die() -> None:
    """As HOW says."""
    if HOW == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    os._exit(1)


@app.on_after_finalize.connect
def poison_analysis(**_signal: Any) -> None:
    """Whoever prepares the analysis of a picture of the camera named POISON dies."""
    if WHERE != "analysis":
        return
    import workers.inference as inference

    is_here = inference.is_here

    def deadly(slot: Any) -> bool:
        if str(slot.camera_id) == POISON:
            die()
        return is_here(slot)

    inference.is_here = deadly


@app.on_after_finalize.connect
def poison(**_signal: Any) -> None:
    """The camera named POISON ends whoever opens it; the others give a grey picture at once."""
    if WHERE != "capture":
        return
    from datetime import UTC, datetime

    import numpy as np

    import workers.capture as capture
    from workers.capture.shots import Taken
    from workers.vision.frames import Frame

    def take(shot: Any, _policy: Any, store: Any, *_rest: Any) -> Any:
        if str(shot.camera) == POISON:
            die()
        frame = Frame(np.full((90, 160, 3), 90, np.uint8), datetime.now(UTC))
        return Taken(shot, store.write(frame, shot.slot), at=frame.time, frame=frame)

    capture.take = take
