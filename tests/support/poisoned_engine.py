"""The engine with one more analyser, `white-kills`: the process dies of a white picture, as by a defect in native code.

python -m tests.support.poisoned_engine SOCKET          as a node without a GPU runs it
python -m tests.support.poisoned_engine SOCKET child    as one child (see `children`)
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import datetime
from pathlib import Path

from workers.engine import EngineOptions, run
from workers.vision.analysers.base import AnalyserSettings, analysers
from workers.vision.detections import Detection
from workers.vision.frames import Image

NAME = "white-kills"
WHITE = 250


@analysers.register(NAME)
class WhiteKills:
    """Nothing is ever seen; a white picture ends the process."""

    memory_bytes = 0
    labels: tuple[str, ...] = ()

    def __init__(self, _settings: AnalyserSettings) -> None: ...

    def step(self, image: Image, time: datetime) -> list[Detection]:
        if image.mean() >= WHITE:
            os._exit(9)
        return []


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    if arguments[1:]:
        from workers.vision.inference.child import main as child

        sys.exit(child([arguments[0], *arguments[2:]]))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    run(EngineOptions(Path(arguments[0]), threads=2, children=False))


if __name__ == "__main__":
    main(sys.argv[1:])
