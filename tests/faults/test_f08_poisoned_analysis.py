"""F08 in the analysis: a picture that kills the worker, or the engine, is given up after three; the others flow on."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import cv2
import pytest

from apps.analysis.models import CaptureSlot
from apps.core import clock
from portal.launcher.layout import ROOT
from portal.launcher.procfile import ProcessSpec
from portal.launcher.supervisor import Supervisor
from tests.support.captured import captured, decided, executions, send
from tests.support.celery_worker import celery_worker, said
from tests.support.checker import slots_decided_once
from tests.support.engine import clear, scripted_engine
from tests.support.poisoned_engine import NAME, picture
from tests.support.road import accepts
from tests.support.waiting import until
from workers.capture.frames import FrameStore
from workers.process.poison import MOST_CRASHES
from workers.streams.analysis import LiveAnalysis
from workers.streams.rows import HeldExecution
from workers.vision.engine_client import EnginePool
from workers.vision.frames import Frame
from workers.vision.holder import Demand
from workers.vision.inference import FrameRef
from workers.vision.inference.children import EngineChildren

CHILD = "workers.vision.inference.child"


def outcomes() -> Counter[tuple[str, str]]:
    found = CaptureSlot.objects.values_list("results", flat=True)
    return Counter((each["outcome"], each["reason"]) for results in found for each in results.values())


@contextlib.contextmanager
def supervised_engine(folder: Path, socket: Path) -> Iterator[Supervisor]:
    """The poisoned engine as a process of its own, kept by the product's supervisor."""
    command = shlex.join([sys.executable, "-m", "tests.support.poisoned_engine", str(socket)])
    supervisor = Supervisor(
        [ProcessSpec("engine", command)], data=folder, environment=dict(os.environ), say=lambda _: None
    )
    ended = threading.Event()
    supervisor.start()
    tending = threading.Thread(target=supervisor.run, args=(ended.wait,))
    tending.start()
    try:
        until(lambda: accepts(socket), 60, "the engine")
        yield supervisor
    finally:
        ended.set()
        tending.join(10)
        supervisor.stop()


@pytest.mark.timeout(240)
@pytest.mark.django_db(transaction=True)
def test_f08_a_picture_that_kills_the_analysing_process_is_given_up_after_three(
    analysis_broker: str, tmp_path: Path, settings: Any
) -> None:
    rows = executions(8, "intrusion")
    ids = captured(rows, settings.VANTAGE_NODE)
    poison = CaptureSlot.objects.get(pk=ids[1])
    extra = {"TEST_POISON": str(poison.camera_id), "TEST_POISON_WHERE": "analysis", "VANTAGE_CHILDREN": "2"}
    with (
        scripted_engine(settings.VANTAGE_ENGINE_SOCKET, lambda _frame, spec: clear(spec["execution"])),
        celery_worker(
            tmp_path, analysis_broker, queues="inference.cpu", app="tests.support.poisoned_celery", **extra
        ) as worker,
    ):
        send(ids)
        decided(120)
        assert worker.poll() is None, "the worker itself lives on"
        assert said(tmp_path, f"analysis_crashed {MOST_CRASHES} times, given up")
        log = (tmp_path / "w.log").read_text(errors="replace")
        assert log.count("exitcode 1") >= MOST_CRASHES
    assert outcomes() == {("clear", ""): 7, ("not_analysed", "analysis_crashed"): 1}
    poison.refresh_from_db()
    assert {each["reason"] for each in poison.results.values()} == {"analysis_crashed"}
    assert not list(slots_decided_once({}, settled=False))


@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_f08_a_picture_that_kills_the_engine_is_given_up_after_three_and_the_others_flow(
    analysis_broker: str, tmp_path: Path, settings: Any
) -> None:
    socket = Path(settings.VANTAGE_ENGINE_SOCKET)
    rows = executions(8, NAME)
    ids = captured(rows, settings.VANTAGE_NODE, deadly=1)
    with (
        supervised_engine(tmp_path / "data", socket) as supervisor,
        celery_worker(tmp_path, analysis_broker, queues="inference.cpu", VANTAGE_CHILDREN="2") as worker,
    ):
        send(ids)
        decided(150)
        assert supervisor.managed[0].restarts <= MOST_CRASHES
        assert said(tmp_path, f"engine_crashed {MOST_CRASHES} times, given up")
        assert worker.poll() is None
        assert outcomes() == {("clear", ""): 7, ("not_analysed", "engine_crashed"): 1}
        until(lambda: accepts(socket), 60, "the engine to be back")
        crashes = supervisor.managed[0].restarts
        send(captured(rows, settings.VANTAGE_NODE, late=1))
        decided(60)
        assert supervisor.managed[0].restarts == crashes, "what was given up comes no more"
    assert outcomes() == {("clear", ""): 15, ("not_analysed", "engine_crashed"): 1}
    poison = CaptureSlot.objects.get(pk=ids[1])
    assert {each["reason"] for each in poison.results.values()} == {"engine_crashed"}
    assert not list(slots_decided_once({}, settled=False))


class LiveCamera:
    """Frames of one camera, one after the other, until told to end; what became of each."""

    def __init__(self, live: LiveAnalysis, *, deadly: bool = False) -> None:
        self.id, self.live, self.deadly = uuid4(), live, deadly
        self.reasons: list[str] = []
        spec = {
            "execution": str(uuid4()), "camera": str(self.id), "analyser": NAME, "model": None,
            "items": [{"code": "x", "labels": ["x"], "rule": {"kind": "presence", "min_targets": 1}}],
        }  # fmt: skip
        held = HeldExecution(UUID(spec["execution"]), self.id, 0, "fps", 0.2, 1, spec, ())
        live.placed.executions[held.id] = held
        self.demands = (Demand("fps", 0.2, str(held.id)),)

    def run(self, ended: threading.Event) -> None:
        while not ended.wait(0.2):
            frame = Frame(picture(deadly=self.deadly), clock.now())
            self.live.on_frame(str(self.id), frame, self.demands)


@pytest.mark.timeout(240)
def test_f08_a_live_camera_whose_frames_kill_the_engine_is_given_up_and_the_others_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    socket, store = tmp_path / "run" / "engine.sock", FrameStore(tmp_path / "frames")
    store.prepare()
    live = LiveAnalysis(EnginePool(socket, size=3, timeout=20.0), store)
    poison, *others = [LiveCamera(live, deadly=number == 0) for number in range(4)]
    by_id = {camera.id: camera for camera in (poison, *others)}

    def note(items: Any) -> None:
        for item in items:
            by_id[item.camera].reasons += [result["reason"] for result in item.results]

    monkeypatch.setattr("workers.streams.analysis.push", note)
    ended = threading.Event()
    threads = [threading.Thread(target=camera.run, args=(ended,)) for camera in by_id.values()]
    with supervised_engine(tmp_path / "data", socket) as supervisor:
        for thread in threads:
            thread.start()
        try:
            until(lambda: "engine_crashed" in poison.reasons, 120, "the camera to be given up")
            until(lambda: accepts(socket), 60, "the engine to be back")
            crashes = supervisor.managed[0].restarts
            assert crashes <= MOST_CRASHES + 1
            marks = [len(camera.reasons) for camera in others]
            until(
                lambda: all(
                    camera.reasons[mark:].count("") >= 10 for camera, mark in zip(others, marks, strict=True)
                ),
                60,
                "the others to flow",
            )
            assert supervisor.managed[0].restarts == crashes, "the engine lives on"
        finally:
            ended.set()
            for thread in threads:
                thread.join(30)
            live.engine.close()
    assert poison.reasons[-1] == "engine_crashed"
    assert "" not in poison.reasons
    assert all("engine_crashed" not in camera.reasons for camera in others)
    assert f"camera {poison.id} preset 0 ended the engine {MOST_CRASHES} times: given up" in caplog.text


@pytest.fixture
def children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineChildren]:
    """Child engines that know the deadly analyser."""
    popen = subprocess.Popen

    def start(command: list[str], *rest: Any, **options: Any) -> Any:
        own = ["tests.support.poisoned_engine" if each == CHILD else each for each in command]
        return popen(own, *rest, cwd=ROOT, **options)

    monkeypatch.setattr("workers.vision.inference.children.subprocess.Popen", start)
    pool = EngineChildren(tmp_path, threads=2)
    yield pool
    pool.close()


@pytest.mark.timeout(240)
def test_f08_a_frame_that_kills_children_is_given_up_and_its_neighbours_are_not(
    children: EngineChildren, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    places = {}
    for is_deadly in (True, False):
        places[is_deadly] = tmp_path / f"{is_deadly}.png"
        cv2.imwrite(str(places[is_deadly]), picture(deadly=is_deadly)[..., ::-1])
    ended, neighbours = threading.Event(), []
    spec = {
        "analyser": NAME, "model": None,
        "items": [{"code": "x", "labels": ["x"], "rule": {"kind": "presence", "min_targets": 1}}],
    }  # fmt: skip

    def ask(*, deadly: bool) -> str:
        found = children.analyse(FrameRef(places[deadly], clock.now()), [{**spec, "execution": str(uuid4())}])
        return str(found[0]["reason"])

    def beside() -> None:
        while not ended.is_set():
            neighbours.append(ask(deadly=False))

    assert ask(deadly=False) == ""
    threads = [threading.Thread(target=beside) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert ask(deadly=True) == "engine_crashed"
    after = len(neighbours)
    until(lambda: len(neighbours) > after + 20, 60, "the neighbours to flow")
    # asked before the threads end: a child goes with the one that started it
    assert children.stats()["restarts"] == MOST_CRASHES
    ended.set()
    for thread in threads:
        thread.join(30)
    assert set(neighbours) == {""}
    assert "a frame ended 3 children: given up (True.png)" in caplog.text
