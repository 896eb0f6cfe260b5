"""The inference process of a node: started by `manage.py engine`, no database.

On CPU one process with one thread per core; where a GPU is found one child process per model group.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2

from workers.vision.inference import Engine, EngineLimits
from workers.vision.inference.children import EngineChildren
from workers.vision.inference.server import EngineServer
from workers.vision.runtimes.providers import CPU, present

NICE = 5
"""Below the stream holder: a machine with too much to do must drop pictures, not fall behind in receiving them."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineOptions:
    """socket: where to listen. threads: 0 = one per core. children: None = only beside a GPU."""

    socket: Path
    threads: int = 0
    model_bytes: int = 2 * 2**30
    state_bytes: int = 512 * 2**20
    children: bool | None = None


def run(options: EngineOptions, ended: threading.Event | None = None) -> None:
    """Serve until SIGTERM or SIGINT (or `ended`), then finish what was accepted."""
    ended = ended or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        os.nice(NICE)
    cv2.setNumThreads(1)  # frames run side by side: threads inside one frame only get in each other's way
    separate = present()[0] != CPU if options.children is None else options.children
    threads = options.threads or os.cpu_count() or 1
    engine: Engine | EngineChildren
    if separate:
        engine = EngineChildren(options.socket.parent, threads=threads, model_bytes=options.model_bytes)
    else:
        engine = Engine(EngineLimits(options.model_bytes, options.state_bytes))
    server = EngineServer(options.socket, engine, threads)
    server.start()
    try:
        ended.wait()
    finally:
        log.info("engine stops: finishing what was accepted")
        server.stop()
        if isinstance(engine, EngineChildren):
            engine.close()
