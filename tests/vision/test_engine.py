"""The engine: one model run per frame, honest outcomes, its socket, client and process."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

import cv2
import numpy as np
import pytest

from tests.vision.engine_models import (
    brightness_model,
    frame,
    jpeg,
    model_entry,
    moment,
    picture,
    spec,
    square,
)
from workers.vision.engine_client import (
    EngineClient,
    EngineError,
    EnginePool,
    EngineUnavailable,
    wait_for_engine,
)
from workers.vision.frames import Frame
from workers.vision.inference import Engine, EngineLimits, FrameRef
from workers.vision.inference.server import EngineServer, SocketTaken
from workers.vision.inference.states import StateStore
from workers.vision.rules import rules
from workers.vision.runtimes.onnx import OnnxModel


class CountingOpener:
    """Opens real models and counts openings and runs."""

    def __init__(self) -> None:
        self.opened, self.runs = 0, 0

    def __call__(self, model, platform):
        self.opened += 1
        inner, outer = OnnxModel(model.path, platform="cpu"), self

        class Counting:
            memory_bytes, providers, batch_limit, close = inner.memory_bytes, inner.providers, 1, inner.close

            def run(self, tensor):
                outer.runs += 1
                return inner.run(tensor)

        return Counting()


def test_the_model_runs_once_for_all_executions_of_a_frame(tmp_path):
    opener = CountingOpener()
    engine = Engine(open_model=opener)
    specs = [spec(tmp_path, f"e{number}", parameters={"confidence": number / 10}) for number in range(1, 10)]
    results = engine.analyse(frame(level=128), specs)
    assert (opener.opened, opener.runs) == (1, 1)
    assert [each["outcome"] for each in results] == ["hit"] * 5 + ["clear"] * 4
    assert [each["execution"] for each in results] == [f"e{number}" for number in range(1, 10)]
    engine.analyse(frame(seconds=1), specs)
    assert (opener.opened, opener.runs) == (1, 2)


def test_a_hit_in_full(tmp_path):
    first = Engine().analyse(frame(level=204), [spec(tmp_path)])
    again = Engine().analyse(frame(level=204), [spec(tmp_path)])
    timings = first[0].pop("timings")
    again[0].pop("timings")
    assert first == again
    target = {
        "label": "bright",
        "score": pytest.approx(0.8, abs=1e-5),
        "box": [0.25, 0.25, 0.5, 0.5],
        "track": None,
        "attributes": {},
    }
    assert first[0]["hits"] == [{"item": "bright.seen", "ordinal": 0, "targets": [target]}]
    assert {name: first[0][name] for name in ("execution", "outcome", "reason")} == {
        "execution": "e1",
        "outcome": "hit",
        "reason": "",
    }
    assert set(timings) == {"decode_ms", "prepare_ms", "model_ms", "rules_ms"}


def test_ordinals_follow_the_boxes_not_the_scores(tmp_path, monkeypatch):
    from workers.vision.detections import Detection

    seen = [
        Detection("bright", score, (x, 0.2, 0.1, 0.1)) for x, score in ((0.6, 0.9), (0.1, 0.5), (0.3, 0.7))
    ]
    monkeypatch.setattr(Engine, "_detect", lambda *_: seen)
    each = [{"code": "b", "labels": ["bright"], "rule": {"kind": "each"}}]
    hits = Engine().analyse(frame(), [spec(tmp_path, items=each)])[0]["hits"]
    assert [(hit["ordinal"], hit["targets"][0]["box"][0]) for hit in hits] == [(0, 0.1), (1, 0.3), (2, 0.6)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"items": [{"code": "a", "labels": ["bright"], "rule": {"kind": "unheard-of"}}]}, "bad_spec"),
        ({"items": [{"code": "a", "labels": ["bright"], "rule": {"kind": "presence", "x": 1}}]}, "bad_spec"),
        ({"parameters": {"confidence": "high"}}, "bad_spec"),
        ({"regions": [{"type": "Point"}]}, "bad_spec"),
        ({"model": None}, "bad_spec"),
        ({"model": None, "analyser": "unheard-of"}, "bad_spec"),
        ({"items": [{"code": "a", "labels": ["bright"], "rule": {"kind": "intrusion"}}]}, "no_region"),
    ],
)
def test_what_cannot_be_judged_says_why_and_leaves_the_others_alone(tmp_path, change, reason):
    bad, good = Engine().analyse(frame(), [spec(tmp_path, "bad", **change), spec(tmp_path, "good")])
    assert (bad["outcome"], bad["reason"], bad["hits"]) == ("not_analysed", reason, [])
    assert good["outcome"] == "hit"


def test_a_rule_that_breaks_is_an_engine_error_of_that_execution(tmp_path, monkeypatch, caplog):
    def breaks(self, detections, context):
        raise RuntimeError("boom")

    monkeypatch.setattr(type(rules.get("each")), "evaluate", breaks)
    each = [{"code": "b", "labels": ["bright"], "rule": {"kind": "each"}}]
    bad, good = Engine().analyse(frame(), [spec(tmp_path, "bad", items=each), spec(tmp_path, "good")])
    assert (bad["outcome"], bad["reason"]) == ("not_analysed", "engine_error")
    assert good["outcome"] == "hit"
    assert "boom" in caplog.text


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "frame_lost"),
        (lambda path: path.write_bytes(b"no picture"), "frame_corrupt"),
        (lambda path: path.write_bytes(cv2.imencode(".jpg", picture())[1].tobytes()[:60]), "frame_corrupt"),
    ],
)
def test_a_frame_that_is_gone_or_broken(tmp_path, make, reason):
    make(tmp_path / "frame.jpg")
    result = Engine().analyse(FrameRef(tmp_path / "frame.jpg", moment(0)), [spec(tmp_path)])[0]
    assert (result["outcome"], result["reason"]) == ("not_analysed", reason)


def test_a_corrupt_frame_is_not_analysed(tmp_path):
    result = Engine().analyse(Frame(picture(), moment(0), corrupt=True), [spec(tmp_path)])[0]
    assert (result["outcome"], result["reason"]) == ("not_analysed", "frame_corrupt")


def test_a_model_whose_output_does_not_fit(tmp_path):
    execution = spec(tmp_path)
    execution["model"]["output"] = {"decoder": "yolov8", "labels": ["bright", "dark"]}
    assert Engine().analyse(frame(), [execution])[0]["reason"] == "output_mismatch"


def test_a_model_outside_its_package_is_not_opened(tmp_path):
    execution = spec(tmp_path / "package")
    execution["model"]["file"] = "../other.onnx"
    assert Engine().analyse(frame(), [execution])[0]["reason"] == "bad_spec"


def left_object(execution: str = "left", dwell: int = 10):
    return {
        "execution": execution,
        "package": "b" * 64,
        "model": None,
        "analyser": "left-object",
        "items": [
            {"code": "left.object", "labels": ["object"], "rule": {"kind": "left_object", "dwell": dwell}}
        ],
        "parameters": {"dwell": dwell},
    }


def scene(seconds: float) -> Frame:
    image = np.random.default_rng(int(seconds)).normal(110, 3, (180, 320, 3))
    if seconds >= 20:
        image[100:130, 140:180] = (30, 40, 220)
    return Frame(np.clip(image, 0, 255).astype(np.uint8), moment(seconds))


def test_stateful_executions_remember_and_repeat_themselves():
    engine = Engine()
    outcomes = {}
    for second in range(41):
        result = engine.analyse(scene(second), [left_object()])[0]
        assert engine.analyse(scene(second), [left_object()])[0] == result, "a repeat is answered from memory"
        outcomes[second] = result["outcome"]
    assert outcomes[0] == "not_analysed"
    assert {outcomes[second] for second in range(5, 29)} == {"clear"}
    assert {outcomes[second] for second in range(32, 41)} == {"hit"}
    late = engine.analyse(scene(12), [left_object()])[0]
    assert (late["outcome"], late["reason"]) == ("not_analysed", "out_of_order")


def test_executions_keep_apart_what_they_remember():
    engine = Engine()
    for second in range(25):
        engine.analyse(scene(second), [left_object("one")])
    one, two = engine.analyse(scene(33), [left_object("one"), left_object("two")])
    assert one["outcome"] == "hit"
    assert (two["outcome"], two["reason"]) == ("not_analysed", "learning")


def test_what_is_remembered_is_bounded():
    store = StateStore(budget_bytes=100 * 1024)
    for number in range(50):
        with store.of(f"e{number}", "d"):
            pass
    assert len(store) <= 6
    assert store.evictions >= 44


def test_models_are_evicted_by_memory(tmp_path):
    engine = Engine(EngineLimits(model_bytes=60 * 2**20))
    for number in range(4):
        execution = spec(tmp_path / str(number), f"e{number}")
        brightness_model(tmp_path / str(number) / "model" / "det.onnx", classes=number + 1)
        execution["model"] = model_entry(tmp_path / str(number) / "model" / "det.onnx")
        execution["model"]["output"]["labels"] = ["bright", "b", "c", "d"][: number + 1]
        assert engine.analyse(frame(), [execution])[0]["outcome"] == "hit"
    stats = engine.stats()
    assert (stats["loads"], stats["evictions"], len(stats["models"])) == (4, 2, 2)


@pytest.fixture
def served(tmp_path):
    server = EngineServer(tmp_path / "engine.sock", Engine(), threads=2)
    server.start()
    yield server
    server.stop()


def item(path, execution, seconds: float = 0.0, camera: str = "cam"):
    micros = int(moment(seconds).timestamp() * 1_000_000)
    return {
        "frame": {"path": str(path), "time_us": micros, "camera": camera, "preset": 0},
        "executions": [execution],
    }


def test_through_the_socket(served, tmp_path):
    assert stat.S_IMODE(served.path.stat().st_mode) == 0o600
    with EngineClient(served.path) as client:
        assert client.ping()
        bright, dark = jpeg(tmp_path / "bright.jpg"), jpeg(tmp_path / "dark.jpg", 20)
        results = client.analyse(
            [item(bright, spec(tmp_path)), item(dark, spec(tmp_path)), item("/gone", spec(tmp_path))]
        )
        assert [each[0]["outcome"] for each in results] == ["hit", "clear", "not_analysed"]
        stats = client.stats()
        assert (stats["frames"], stats["frames_lost"], stats["queue"], stats["threads"]) == (3, 1, 0, 2)
        (model,) = stats["models"].values()
        assert model["runs"] == 2
        assert model["providers"] == ["CPUExecutionProvider"]
        assert client.unload() == 1
        with pytest.raises(EngineError, match="unknown_operation"):
            client.call({"op": "fly"})
        with pytest.raises(EngineError, match="bad_request"):
            client.call({"op": "analyse", "items": [{}]})
        assert client.ping()


def test_frames_of_one_camera_are_taken_in_the_order_of_their_times(served, tmp_path):
    items = []
    for second in range(40):
        path = tmp_path / f"{second}.png"
        cv2.imwrite(str(path), scene(second).image)
        items.append(item(path, left_object(), second))
    with EngineClient(served.path) as client:
        results = client.analyse(items[::-1])[::-1]
    assert [each[0]["reason"] for each in results].count("out_of_order") == 0
    assert results[-1][0]["outcome"] == "hit"


@pytest.mark.parametrize(
    "garbage", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x03abc", b"\x00\x00", b"GET / HTTP/1.1\r\n\r\n"]
)
def test_garbage_on_the_socket_harms_nobody(served, garbage):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger:
        stranger.connect(str(served.path))
        stranger.sendall(garbage)
        stranger.shutdown(socket.SHUT_WR)
        stranger.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            stranger.recv(1000)
    with EngineClient(served.path) as client:
        assert client.ping()


def test_the_client_finds_a_restarted_engine(tmp_path):
    path = tmp_path / "engine.sock"
    first = EngineServer(path, Engine(), 1)
    first.start()
    client = EngineClient(path)
    assert client.ping()
    first.stop()
    assert not client.ping()
    with pytest.raises(EngineUnavailable):
        client.stats()
    second = EngineServer(path, Engine(), 1)
    second.start()
    assert client.ping()
    client.close()
    second.stop()


class Slow(Engine):
    def analyse(self, frame, specs):
        time.sleep(0.5)
        return super().analyse(frame, specs)


def test_what_was_accepted_is_answered_before_the_end(tmp_path):
    server = EngineServer(tmp_path / "engine.sock", Slow(), 1)
    server.start()
    answers = []

    def ask() -> None:
        with EngineClient(server.path) as client:
            answers.append(client.analyse([item(jpeg(tmp_path / "a.jpg"), spec(tmp_path))]))

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.2)
    server.stop()
    thread.join()
    assert answers[0][0][0]["outcome"] == "hit"
    assert not server.path.exists()


def test_no_answer_in_time_is_said_and_the_late_one_is_not_mixed_up(tmp_path):
    server = EngineServer(tmp_path / "engine.sock", Slow(), 2)
    server.start()
    with EngineClient(server.path) as client:
        with pytest.raises(EngineUnavailable, match="no answer"):
            client.analyse([item(jpeg(tmp_path / "a.jpg"), spec(tmp_path))], timeout=0.1)
        assert client.ping()
    server.stop()


def test_a_pool_serves_many_threads(served, tmp_path):
    pool = EnginePool(served.path, size=2)
    path, execution, outcomes = jpeg(tmp_path / "a.jpg"), spec(tmp_path), []

    def ask(number: int) -> None:
        outcomes.append(pool.analyse([item(path, execution, camera=str(number))])[0][0]["outcome"])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(10)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert outcomes == ["hit"] * 10
    pool.close()
    with pytest.raises(EngineUnavailable):
        pool.ping()


def test_a_stale_socket_is_removed_a_living_one_is_not(served, tmp_path):
    with pytest.raises(SocketTaken):
        EngineServer(served.path, Engine(), 1).start()
    stale = tmp_path / "stale.sock"
    left_behind = socket.socket(socket.AF_UNIX)
    left_behind.bind(str(stale))
    left_behind.close()
    server = EngineServer(stale, Engine(), 1)
    server.start()
    assert EngineClient(stale).ping()
    server.stop()
    (tmp_path / "file").write_text("precious")
    with pytest.raises(SocketTaken):
        EngineServer(tmp_path / "file", Engine(), 1).start()
    assert (tmp_path / "file").read_text() == "precious"


def test_the_process_ends_gracefully(tmp_path):
    path = tmp_path / "engine.sock"
    code = (
        "from pathlib import Path; from workers.engine import EngineOptions, run; import sys;"
        "run(EngineOptions(Path(sys.argv[1]), threads=1))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    try:
        assert wait_for_engine(path)
        with EngineClient(path) as client:
            assert client.analyse([item(jpeg(tmp_path / "a.jpg"), spec(tmp_path))])[0][0]["outcome"] == "hit"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert not path.exists()
    finally:
        process.kill()


def test_regions_of_a_spec_count(tmp_path):
    away, there = (
        Engine().analyse(frame(), [spec(tmp_path, regions=[square(corner, corner, 0.2)])])[0]
        for corner in (0.0, 0.4)
    )
    assert (away["outcome"], there["outcome"]) == ("clear", "hit")
