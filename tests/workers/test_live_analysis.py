"""A live frame's road: a look for the engine, a JPEG only where somebody will look at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import cv2
import numpy as np
import pytest

from apps.core import clock
from tests.vision.engine_models import spec
from workers.capture.frames import FrameStore
from workers.streams import analysis
from workers.streams.rows import HeldExecution, Placed
from workers.vision.frames import Frame
from workers.vision.holder import Demand
from workers.vision.looks import read_look
from workers.writer.results import FrameResults


class FakeEngine:
    """Answers with hits or none, and keeps what it was shown."""

    def __init__(self, store: FrameStore) -> None:
        self.store, self.is_hit = store, False
        self.files: list[set[str]] = []
        self.looks: list[tuple[int, ...]] = []

    def analyse(self, items: list[dict[str, Any]], *, timeout: float) -> list[list[dict[str, Any]]]:
        self.files.append({path.suffix for path in self.store.root.iterdir()})
        self.looks.append(read_look(Path(items[0]["frame"]["look"])).image.shape)
        hits = [{"item": "a", "ordinal": 0, "targets": []}] if self.is_hit else []
        return [[{"execution": each["execution"], "hits": hits} for each in items[0]["executions"]]]


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[FrameResults]:
    found: list[FrameResults] = []
    monkeypatch.setattr(analysis, "push", found.extend)
    return found


def street() -> Frame:
    small = np.random.default_rng(2).integers(20, 235, (36, 64, 3), np.uint8)
    return Frame(np.asarray(cv2.resize(small, (1280, 720)), np.uint8), clock.now())


def test_only_a_hit_or_a_due_cover_is_encoded(tmp_path: Path, pushed: list[FrameResults]) -> None:
    store = FrameStore(tmp_path / "frames", 64)
    store.prepare()
    engine = FakeEngine(store)
    live = analysis.LiveAnalysis(engine, store)  # type: ignore[arg-type]
    camera, execution = uuid4(), uuid4()
    boxed = spec(tmp_path / "package", str(execution))
    boxed["model"]["input"] = {"width": 320, "height": 320}
    held = HeldExecution(execution, camera, 0, "fps", 0.1, 1, boxed, ())
    live.placed = Placed({execution: held}, {}, {})

    def show(is_hit: bool) -> FrameResults:
        engine.is_hit = is_hit
        live.on_frame(str(camera), street(), (Demand("fps", 0.1, str(execution)),))
        return pushed[-1]

    assert show(is_hit=False).frame == ""
    assert set(live.covers) == {UUID(str(camera))}, "the first picture is a cover"
    assert show(is_hit=False).frame == ""
    assert list(store.root.iterdir()) == []
    hit = show(is_hit=True)
    assert cv2.imread(hit.frame).shape == (720, 1280, 3)
    assert engine.files == [{".look"}] * 3, "nothing was encoded before the engine answered"
    assert engine.looks == [(180, 320, 3)] * 3, "as large as the model wants, no larger"
    store.delete(hit.frame)
    assert list(store.root.iterdir()) == []
