"""One child engine: `python -m workers.vision.inference.child SOCKET PARENT_PID THREADS MODEL_BYTES`."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path

import cv2

from workers.vision.inference.engine import Engine, EngineLimits
from workers.vision.inference.processes import die_with_parent
from workers.vision.inference.server import EngineServer


def main(arguments: list[str]) -> int:
    path, parent, threads, model_bytes = Path(arguments[0]), *(int(each) for each in arguments[1:4])
    die_with_parent(parent)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    cv2.setNumThreads(1)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    server = EngineServer(path, Engine(EngineLimits(model_bytes=model_bytes)), threads)
    server.start()
    ended.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
