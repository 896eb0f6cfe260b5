"""F30, F40, F41 on the side of the engine."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.support.fake_gpu import Gpu, on_gpu
from tests.vision.engine_models import frame, jpeg, moment, sha, spec
from workers.vision.inference import Engine, FrameRef
from workers.vision.inference.children import EngineChildren
from workers.vision.runtimes.base import DeviceOutOfMemory
from workers.vision.runtimes.batching import BatchRunner
from workers.vision.runtimes.served import ServedModel


def test_f30_a_crashed_group_restarts_and_the_others_keep_flowing(tmp_path):
    children = EngineChildren(tmp_path / "run", threads=1)
    first = spec(tmp_path / "a", "first", package="a" * 64)
    second = spec(tmp_path / "b", "second", package="b" * 64)
    picture = FrameRef(jpeg(tmp_path / "frame.jpg"), moment(0))
    try:
        (tmp_path / "run").mkdir()
        assert [each["outcome"] for each in children.analyse(picture, [first, second])] == ["hit", "hit"]
        shown = children.stats()["children"]
        survivor = shown["b" * 64]["pid"]
        os.kill(shown["a" * 64]["pid"], signal.SIGSEGV)
        os.waitid(os.P_PID, shown["a" * 64]["pid"], os.WEXITED | os.WNOWAIT)
        assert [each["outcome"] for each in children.analyse(picture, [first, second])] == ["hit", "hit"]
        stats = children.stats()
        assert stats["restarts"] == 1
        assert stats["children"]["b" * 64]["pid"] == survivor
    finally:
        children.close()


def test_f30_a_group_that_always_crashes_rests(tmp_path):
    children = EngineChildren(tmp_path, threads=1)
    execution = spec(tmp_path / "a", package="a" * 64)
    picture = FrameRef(jpeg(tmp_path / "frame.jpg"), moment(0))
    outcomes = []
    try:
        for _ in range(4):
            outcomes.append(children.analyse(picture, [execution])[0]["outcome"])
            shown = children.stats()["children"]
            if shown:
                pid = shown["a" * 64]["pid"]
                os.kill(pid, signal.SIGSEGV)
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        last = children.analyse(picture, [execution])[0]
    finally:
        children.close()
    assert outcomes == ["hit", "hit", "hit", "not_analysed"]
    assert last["reason"] == "engine_restarted"


def test_f40_a_corrupt_or_missing_model_is_not_run_and_the_node_says_so(tmp_path):
    execution = spec(tmp_path)
    path = tmp_path / "model" / "det.onnx"
    good = path.read_bytes()
    path.write_bytes(good[:50] + bytes([good[50] ^ 1]) + good[51:])
    engine = Engine()
    assert engine.analyse(frame(), [execution])[0]["reason"] == "model_corrupt"
    assert engine.stats()["faulty_models"] == {execution["model"]["sha256"]: "model_corrupt"}
    path.unlink()
    assert engine.analyse(frame(), [execution])[0]["reason"] == "model_missing"
    path.write_bytes(good)
    assert sha(path) == execution["model"]["sha256"]
    assert engine.analyse(frame(), [execution])[0]["outcome"] == "hit"
    assert engine.stats()["faulty_models"] == {}


class Device:
    """A model on a device with room for `room` images at once."""

    memory_bytes, providers = 1, ("FakeDevice",)

    def __init__(self, room: int, batch_limit: int = 16) -> None:
        self.room, self.batch_limit, self.tried = room, batch_limit, []

    def run(self, tensor):
        self.tried.append(len(tensor))
        if len(tensor) > self.room:
            raise DeviceOutOfMemory("no room")
        return [tensor * 2]

    def close(self) -> None: ...


def tensors(count: int):
    return [np.full((1, 2), number, np.float32) for number in range(count)]


@pytest.mark.parametrize(("room", "size"), [(100, 16), (16, 16), (7, 4), (1, 1)])
def test_f41_batches_halve_until_they_fit_and_stay_there(room, size):
    device = Device(room)
    runner = BatchRunner(device)
    for _ in range(2):
        results = runner.run(tensors(20))
        assert [float(outputs[0][0, 0]) for outputs in results] == [number * 2.0 for number in range(20)]
    assert runner.size == size
    assert sum(count > room for count in device.tried) <= 4


def test_f41_one_image_that_does_not_fit_falls_back_once():
    opened = []

    def fallback() -> Device:
        opened.append(Device(room=100, batch_limit=1))
        return opened[-1]

    runner = BatchRunner(Device(room=0), fallback)
    for _ in range(3):
        assert len(runner.run(tensors(5))) == 5
    assert len(opened) == 1
    assert runner.degraded


def test_f41_with_nothing_to_fall_back_to_it_says_so_and_does_not_loop():
    device = Device(room=0)
    with pytest.raises(DeviceOutOfMemory):
        BatchRunner(device).run(tensors(4))
    assert len(device.tried) <= 6


def test_f41_waiting_callers_share_batches():
    device = Device(room=4)
    served = ServedModel(device)
    with ThreadPoolExecutor(12) as pool:
        outputs = list(pool.map(lambda tensor: served.infer(tensor)[0][0, 0], tensors(60)))
    assert [float(value) for value in outputs] == [number * 2.0 for number in range(60)]
    assert max(device.tried) <= 12


def test_f41_a_full_device_lets_unused_models_go_before_it_falls_back(tmp_path):
    gpu = Gpu(budget=150)
    engine = Engine(open_model=gpu.open)
    for name in "abab":
        answer = engine.analyse(frame(), [on_gpu(tmp_path, name)])[0]
        assert answer["reason"] == ""
    assert all(platform == "cuda" for _, platform in gpu.opened)
    assert engine.stats()["faulty_models"] == {}  # a busy device is no fault of the file


def test_f41_a_device_that_others_fill_is_left_for_the_cpu_once(tmp_path):
    gpu = Gpu(budget=0)
    engine = Engine(open_model=gpu.open)
    for _ in range(5):
        assert engine.analyse(frame(), [on_gpu(tmp_path, "a")])[0]["reason"] == ""
    assert [platform for _, platform in gpu.opened] == ["cuda", "cuda", "cpu"]


def test_f41_a_run_without_room_falls_back_once(tmp_path):
    gpu = Gpu(budget=110)  # the model fits, not one image of a run
    engine = Engine(open_model=gpu.open)
    for _ in range(5):
        assert engine.analyse(frame(), [on_gpu(tmp_path, "a")])[0]["reason"] == ""
    assert [platform for _, platform in gpu.opened] == ["cuda", "cpu"]


def test_f41_with_room_nowhere_it_says_so_and_rests(tmp_path, monkeypatch):
    gpu = Gpu(budget=0, cpu=0)
    engine = Engine(open_model=gpu.open)
    reasons = [engine.analyse(frame(), [on_gpu(tmp_path, "a")])[0]["reason"] for _ in range(20)]
    assert set(reasons) == {"out_of_memory"}
    assert len(gpu.opened) == 3
    gpu.cpu = 1
    monkeypatch.setattr("workers.vision.inference.room.FULL_SECONDS", 0.0)
    engine.room._full_until.clear()
    assert engine.analyse(frame(), [on_gpu(tmp_path, "a")])[0]["reason"] == ""
