"""An engine in this process: scripted answers behind the real socket, or the real engine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workers.vision.inference.server import EngineServer

Answer = Callable[[Any, Mapping[str, Any]], dict[str, Any]]


def hit(execution: str, item: str, box: Sequence[float] = (0.1, 0.1, 0.2, 0.2)) -> dict[str, Any]:
    """One hit in the engine's shape."""
    target = {"label": "mover", "score": 0.9, "box": list(box), "track": None, "attributes": {}}
    return {
        "execution": execution,
        "outcome": "hit",
        "reason": "",
        "hits": [{"item": item, "ordinal": 0, "targets": [target]}],
        "timings": {"model_ms": 1.0},
    }


def clear(execution: str) -> dict[str, Any]:
    """Nothing there."""
    return {"execution": execution, "outcome": "clear", "reason": "", "hits": [], "timings": {}}


class Scripted:
    """Answers each execution by a function of (frame, spec)."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.frames: list[Any] = []

    def analyse(self, frame: Any, specs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        self.frames.append(frame)
        return [self.answer(frame, spec) for spec in specs]

    def stats(self) -> dict[str, Any]:
        return {}

    def unload(self) -> int:
        return 0


@contextlib.contextmanager
def scripted_engine(socket: str, answer: Answer) -> Iterator[Scripted]:
    """The scripted engine listens on `socket` for the length of the block."""
    engine = Scripted(answer)
    server = EngineServer(Path(socket), engine, 2)
    server.start()
    try:
        yield engine
    finally:
        server.stop(2.0)
