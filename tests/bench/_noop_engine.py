"""An engine that finds nothing: the real server on the real socket, with no model behind it.

`python -m tests.bench._noop_engine SOCKET [decode]`; with `decode` it reads each frame's JPEG in full first.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2

from workers.vision.inference.server import EngineServer


class Nothing:
    """Answers `clear` to everything."""

    def __init__(self, *, decodes: bool) -> None:
        self.decodes = decodes

    def analyse(self, frame: Any, specs: Sequence[Mapping[str, Any]]) -> list[Any]:
        if self.decodes and cv2.imread(str(frame.path)) is None:
            raise ValueError(f"{frame.path} is no picture")
        return [
            {"execution": spec["execution"], "outcome": "clear", "reason": "", "hits": [], "timings": {}}
            for spec in specs
        ]

    def stats(self) -> dict[str, Any]:
        return {}

    def unload(self) -> int:
        return 0


def main() -> None:
    """Serve until SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    cv2.setNumThreads(1)
    server = EngineServer(Path(sys.argv[1]), Nothing(decodes="decode" in sys.argv[2:]))
    server.start()
    ended.wait()
    server.stop()


if __name__ == "__main__":
    main()
