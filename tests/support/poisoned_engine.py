"""The engine with one more analyser, `colour-kills`: the process dies of a picture of one colour (`deadly`), as by a
defect in native code.

python -m tests.support.poisoned_engine SOCKET          as a node without a GPU runs it
python -m tests.support.poisoned_engine SOCKET PARENT THREADS BYTES    as one child beside a GPU
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import datetime
from pathlib import Path

import numpy as np

from workers.engine import EngineOptions, run
from workers.vision.analysers.base import AnalyserSettings, analysers
from workers.vision.detections import Detection
from workers.vision.frames import Image

NAME = "colour-kills"
TINT = 60


def picture(*, deadly: bool = False) -> Image:
    """Noise, which no gate turns down; a deadly one has a tint."""
    image = np.random.default_rng(7).integers(60, 120, (90, 160, 3), np.uint8)
    if deadly:
        image[..., 0] += 120
    return image


@analysers.register(NAME)
class ColourKills:
    """Nothing is ever seen; a picture of one colour ends the process."""

    memory_bytes = 0
    labels: tuple[str, ...] = ()

    def __init__(self, _settings: AnalyserSettings) -> None: ...

    def step(self, image: Image, time: datetime) -> list[Detection]:
        if np.ptp(image.reshape(-1, 3).mean(axis=0)) > TINT:
            os._exit(9)
        return []


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    if arguments[1:]:
        from workers.vision.inference.child import main as child

        sys.exit(child(arguments))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    run(EngineOptions(Path(arguments[0]), threads=2, children=False))


if __name__ == "__main__":
    main(sys.argv[1:])
