"""Results with a hit and a picture, as the writer takes them."""

from __future__ import annotations

import itertools
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from apps.core import clock
from tests.support import factories
from tests.support.analysis import ITEM, builtin_version, executions_of, running_task
from tests.support.engine import hit
from workers.writer.results import FrameResults


class Hits:
    """One camera with one running execution; `one` is its next hit with a picture of `size` bytes at least."""

    def __init__(self, frames: Path) -> None:
        self.frames = frames
        self.frames.mkdir(parents=True, exist_ok=True)
        self.home = factories.organisation()
        self.viewer = factories.user(self.home)
        self.camera = factories.camera(self.home, address="http://10.0.0.1/a")
        task = running_task(self.home, [self.camera], [builtin_version()], sampling="keyframes", interval=10)
        self.execution: Any = executions_of(task)[0]
        self._number = itertools.count()
        done, data = cv2.imencode(".jpg", np.full((180, 320, 3), 120, np.uint8))
        assert done
        self._jpeg = data.tobytes()

    def picture(self, size: int = 0) -> Path:
        """A frame in the store: a JPEG with random bytes behind its end."""
        path = self.frames / f"{next(self._number)}.jpg"
        path.write_bytes(self._jpeg + os.urandom(max(0, size - len(self._jpeg))))
        return path

    def one(self, size: int = 0) -> FrameResults:
        """A new hit, each a second after the one before."""
        path = self.picture(size)
        at = clock.now() - timedelta(hours=1) + timedelta(seconds=int(path.stem))
        answer = hit(str(self.execution.pk), ITEM)
        return FrameResults(None, self.camera.pk, 0, at, str(path), 320, 180, [answer])
