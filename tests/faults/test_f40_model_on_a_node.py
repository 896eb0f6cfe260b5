"""F40: a model file is missing or damaged on one node: its work goes to nodes that pass, and the node is flagged."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from apps.algorithms.models import AlgorithmPackage, AlgorithmVersion
from apps.analysis.models import CaptureSlot, Execution
from apps.analysis.planner.heap import slot_id
from apps.analysis.services import (
    PlannedSlot,
    lease_for_capture,
    lease_for_inference,
    mark_captured,
    sync_executions,
    write_slots,
)
from apps.core import clock
from apps.dispatch.models import ComputeNode
from apps.dispatch.services import heartbeat, place, renew
from tests.support import factories
from tests.support.analysis import ITEM, builtin_version, executions_of, running_task
from tests.support.engine import hit, scripted_engine
from workers.capture.frames import FrameStore
from workers.inference import analyse, infer_slots
from workers.node import Agent
from workers.node.models import ModelFile, ModelShelf
from workers.vision.frames import Frame
from workers.writer.results import FrameResults, not_analysed

pytestmark = pytest.mark.django_db
MODEL = b"a model of some bytes" * 100
SHA = hashlib.sha256(MODEL).hexdigest()


@pytest.fixture
def model(settings: Any, tmp_path: Path) -> Path:
    """The model's file on this node, used by two live executions of two cameras."""
    settings.VANTAGE_PACKAGES = tmp_path / "packages"
    settings.VANTAGE_FRAMES = tmp_path / "frames"
    settings.VANTAGE_NODE = "a"
    home, version = factories.organisation(), builtin_version()
    package = AlgorithmPackage.objects.get()
    entry = {**package.manifest["algorithms"][0], "model": "det", "analyser": None}
    package.manifest = {
        "algorithms": [entry],
        "models": [{"id": "det", "file": "model/det.onnx", "sha256": SHA}],
    }
    package.save()
    cameras = [factories.camera(home, address="http://10.0.0.1/a") for _ in range(2)]
    running_task(home, cameras, [version], sampling="keyframes", interval=2)
    sync_executions()
    path = settings.VANTAGE_PACKAGES / (package.path or package.fingerprint) / "model" / "det.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(MODEL)
    return path


def beat(name: str, faults: dict[str, str] | None = None) -> None:
    heartbeat(name=name, facts={}, load={"models": faults or {}}, started_at=clock.now())


def damage(path: Path) -> None:
    """One byte."""
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(bytes(data))


def homes() -> set[tuple[str, str, str]]:
    return set(Execution.objects.values_list("node", "state", "state_reason"))


def test_f40_a_flipped_byte_moves_the_work_to_a_node_that_passes(model: Path) -> None:
    agent = Agent(FrameStore())
    agent.beat({})
    assert place(clock.now()) == 2
    assert homes() == {("a", "assigned", "")}
    fences = dict(Execution.objects.values_list("pk", "fence"))

    damage(model)
    agent.beat({})
    assert place(clock.now()) == 0
    assert homes() == {("", "waiting", "model_corrupt")}  # queued, not failed
    assert renew(node="a", held=fences, now=clock.now()) == set()  # and the node lets go

    beat("b")
    assert place(clock.now()) == 2
    assert homes() == {("b", "assigned", "")}
    assert place(clock.now()) == 0

    beat("b", {SHA: "model_missing"})
    model.write_bytes(MODEL)  # synchronised again
    agent.beat({})
    assert place(clock.now()) == 2
    assert homes() == {("a", "assigned", "")}


def test_f40_the_operations_pages_flag_the_node(model: Path) -> None:
    client = Client()
    client.force_login(factories.user(roles=("maintainer",)))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    agent = Agent(FrameStore())
    agent.beat({})
    assert "damaged or missing" not in client.get("/dispatch/nodes/").content.decode()
    model.unlink()
    agent.beat({})
    assert "1 model damaged or missing" in client.get("/dispatch/nodes/").content.decode()
    health = client.get("/dispatch/health/?part=duties").content.decode()
    assert "Models on a: 1 missing or damaged" in health
    assert "Synchronise the packages of this node again" in health


def test_f40_executions_with_other_models_stay_where_they_are(model: Path) -> None:
    home = factories.organisation()
    running_task(
        home,
        [factories.camera(home, address="http://10.0.0.1/a")],
        [builtin_version()],
        sampling="fps",
        interval=1,
    )
    beat("a", {SHA: "model_corrupt"})
    assert place(clock.now()) == 1
    assert homes() == {("a", "assigned", ""), ("", "waiting", "model_corrupt")}


def test_f40_files_are_read_when_they_changed_and_now_and_then(tmp_path: Path) -> None:
    moment = [0.0]
    shelf, path = ModelShelf(now=lambda: moment[0]), tmp_path / "det.onnx"
    files = [ModelFile(path, SHA)]
    assert shelf.check(files) == {SHA: "model_missing"}
    path.write_bytes(MODEL)
    assert shelf.check(files) == {}
    before = path.stat()
    damage(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # a disk fault leaves no mark
    assert shelf.check(files) == {}  # the engine still refuses it before it is loaded
    moment[0] = 601.0
    assert shelf.check(files) == {SHA: "model_corrupt"}


def test_f40_a_picture_taken_on_a_bad_node_is_analysed_by_one_that_passes(
    model: Path, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VANTAGE_ENGINE_SOCKET = str(tmp_path / "engine.sock")
    settings.MEDIA_ROOT = tmp_path / "media"
    sent: list[tuple[list[str], str]] = []
    monkeypatch.setattr(
        infer_slots, "apply_async", lambda args, queue, **_: sent.append((args[0], queue.name))
    )
    results: list[FrameResults] = []
    monkeypatch.setattr("workers.inference.push", lambda batch: results.extend(batch))
    home = factories.organisation()
    camera = factories.camera(home, address="http://10.0.0.1/a")
    execution = executions_of(
        running_task(home, [camera], [AlgorithmVersion.objects.get()], sampling="snapshot", interval=60)
    )[0]
    slot = captured(camera, execution)

    def corrupt(_frame: Any, spec: dict[str, Any]) -> dict[str, Any]:
        return not_analysed(spec["execution"], "model_corrupt")

    with scripted_engine(settings.VANTAGE_ENGINE_SOCKET, corrupt):
        analyse(lease_for_inference([slot.pk], again=True))
        assert sent == []  # nobody else: the fault is the answer
        assert results[0].results[0]["reason"] == "model_corrupt"
        results.clear()
        beat("b")
        beat("c", {SHA: "model_missing"})
        ComputeNode.objects.update(load={"engine": {"is_up": True}})
        ComputeNode.objects.filter(name="c").update(
            load={"engine": {"is_up": True}, "models": {SHA: "model_missing"}}
        )
        analyse(lease_for_inference([slot.pk], again=True))
    assert results == []
    assert sent == [([str(slot.pk)], "inference.cpu.b")]

    settings.VANTAGE_NODE, settings.VANTAGE_FRAMES = "b", tmp_path / "frames-of-b"
    settings.VANTAGE_ENGINE_SOCKET = str(tmp_path / "engine-of-b.sock")
    with scripted_engine(settings.VANTAGE_ENGINE_SOCKET, lambda _frame, spec: hit(spec["execution"], ITEM)):
        infer_slots.run(sent[0][0], True)
    assert [answer["outcome"] for answer in results[0].results] == ["hit"]
    assert results[0].frame.startswith(str(tmp_path / "frames-of-b"))


def captured(camera: Any, execution: Execution) -> CaptureSlot:
    """A slot whose picture lies on this node."""
    at = clock.now().replace(microsecond=0)
    identifier = slot_id(camera.pk, 0, at)
    write_slots([PlannedSlot(identifier, camera.pk, 0, at, at + timedelta(seconds=60), (execution.pk,))])
    path = FrameStore().write(Frame(np.full((90, 160, 3), 90, np.uint8), at), identifier)
    leased = lease_for_capture([identifier], node="a")
    assert mark_captured(leased[0], frame=str(path), node="a", captured_at=at)
    return CaptureSlot.objects.get(pk=identifier)
