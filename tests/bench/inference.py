"""How near the engine comes to a bare ONNX Runtime loop. Ratios of one run; see 6-limits `inference.*`.

Both sides read the same JPEG files of 1920×1080 from memory-backed storage with the same model and the same
number of threads. `bare` is the shortest loop by hand (cv2.imread → resize → session.run); `engine` goes through
the socket, specs, cache, preparation, decoder, suppression and rules.
"""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from workers.vision.engine_client import EngineClient
from workers.vision.inference import Engine
from workers.vision.inference.server import EngineServer
from workers.vision.runtimes.onnx import OnnxModel
from workers.vision.runtimes.prepare import InputSpec

MODELS = Path(__file__).parents[3] / "shared" / "media" / "models"
THREADS = 2


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Measure; a row is {name, value, goal, ok, sides}."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        cv2.setNumThreads(1)  # as in the engine's process
        setup = _Setup(Path(folder), images=8)
        rounds, seconds = (6, 0.8) if quick else (12, 2.0)
        bare, engine = [], []
        for _ in range(rounds):  # taken in turn: a noisy machine disturbs both alike
            bare.append(_rate(setup.bare_once, seconds))
            engine.append(setup.engine_rate(seconds))
        stages = setup.stages(20 if quick else 60)
        setup.close()
    ratio = statistics.median(e / b for e, b in zip(engine, bare, strict=True))
    overhead = (stages["decode_ms"] + stages["prepare_ms"] + stages["rules_ms"]) / stages["model_ms"]
    machine = {"threads": THREADS, "model": setup.model_name, "input": setup.spec["model"]["input"]["width"]}
    return [
        {
            "name": "engine_over_bare",
            "value": round(ratio, 3),
            "goal": 0.9,
            "ok": ratio >= 0.9,
            "sides": {
                "engine_images_s": round(statistics.median(engine), 1),
                "bare_images_s": round(statistics.median(bare), 1),
                **machine,
            },
        },
        {
            "name": "overhead_over_model",
            "value": round(overhead, 3),
            "goal": 0.35,
            "ok": overhead <= 0.35,
            "sides": {name: round(value, 3) for name, value in stages.items()},
        },
    ]


class _Setup:
    def __init__(self, folder: Path, images: int) -> None:
        self.folder = folder
        self.model_name, model_path, entry = _model(folder)
        self.paths = _pictures(folder, images)
        self.spec = {
            "execution": "bench",
            "package": "bench",
            "package_path": str(model_path.parent),
            "model": {
                "id": "det",
                "file": model_path.name,
                "sha256": hashlib.sha256(model_path.read_bytes()).hexdigest(),
                **entry,
            },
            "platform": "cpu",
            "analyser": None,
            "items": [{"code": "a", "labels": ["c0"], "rule": {"kind": "presence"}}],
            "parameters": {"confidence": 0.35},
        }
        self.input = InputSpec.from_manifest(entry["input"])
        self.model = OnnxModel(model_path)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self.session = ort.InferenceSession(str(model_path), options, providers=["CPUExecutionProvider"])
        self.server = EngineServer(folder / "engine.sock", Engine(), THREADS)
        self.server.start()
        self.client = EngineClient(folder / "engine.sock")
        self.client.analyse([self._item(0, 0)])

    def _item(self, index: int, moment: int) -> dict[str, Any]:
        path = str(self.paths[index % len(self.paths)])
        return {
            "frame": {"path": path, "time_us": moment + 1, "camera": str(index), "preset": 0},
            "executions": [self.spec],
        }

    def bare_once(self, index: int) -> None:
        image = cv2.imread(str(self.paths[index % len(self.paths)]), cv2.IMREAD_REDUCED_COLOR_4)
        ratio = min(self.input.width / image.shape[1], self.input.height / image.shape[0])
        small = cv2.resize(image, (round(image.shape[1] * ratio), round(image.shape[0] * ratio)))
        canvas = np.full((self.input.height, self.input.width, 3), 114, np.uint8)
        canvas[: small.shape[0], : small.shape[1]] = small
        tensor = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], np.float32)
        self.session.run(None, {self.model.input_name: tensor})

    def engine_rate(self, seconds: float) -> float:
        """Images a second through the socket in batches of 16, as the inference tasks send them."""
        done, moment, started = 0, 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            self.client.analyse([self._item(index, moment) for index in range(16)])
            done, moment = done + 16, moment + 1
        return done / (time.perf_counter() - started)

    def stages(self, count: int) -> dict[str, float]:
        """Median milliseconds of each stage on one thread, of one frame at a time."""
        rows = [self.client.analyse([self._item(index, index)])[0][0]["timings"] for index in range(count)]
        return {name: statistics.median(row[name] for row in rows) for name in rows[0]}

    def close(self) -> None:
        self.client.close()
        self.server.stop()


def _rate(work: Callable[[int], None], seconds: float) -> float:
    """Calls a second of `work` on `THREADS` threads."""
    counts, ended = [0] * THREADS, threading.Event()

    def loop(number: int) -> None:
        while not ended.is_set():
            work(counts[number] + number)
            counts[number] += 1

    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(THREADS):
            pool.submit(loop, number)
        time.sleep(seconds)
        ended.set()
    return sum(counts) / (time.perf_counter() - started)


def _pictures(folder: Path, count: int) -> list[Path]:
    """Pictures with the detail of a street: shapes over soft noise, JPEG of about 300 kB."""
    chance = np.random.default_rng(7)
    paths = []
    for number in range(count):
        rough = chance.integers(0, 255, (68, 120, 3), np.uint8)
        image = cv2.resize(rough, (1920, 1080), interpolation=cv2.INTER_CUBIC)
        for _ in range(60):
            x, y = (int(value) for value in chance.integers(0, 1000, 2))
            cv2.rectangle(image, (x, y), (x + 90, y + 60), tuple(map(int, chance.integers(0, 255, 3))), -1)
        paths.append(folder / f"{number}.jpg")
        cv2.imwrite(str(paths[-1]), image, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return paths


def _model(folder: Path) -> tuple[str, Path, dict[str, Any]]:
    labels = [f"c{number}" for number in range(80)]
    entry = {
        "input": {"width": 416, "height": 416, "color": "bgr", "letterbox": "topleft"},
        "output": {"decoder": "yolox", "labels": labels},
    }
    real = MODELS / "yolox_nano_416.onnx"
    if real.is_file():
        return real.name, real, entry
    return "synthetic", _synthetic(folder / "model.onnx"), entry


def _synthetic(path: Path) -> Path:
    """A stack of convolutions with YOLOX's output shape and about its cost."""
    chance = np.random.default_rng(3)
    nodes, weights, name, channels = [], [], "image", 3
    for number, (out, stride) in enumerate([(16, 2), (32, 2), (64, 2), (64, 1), (64, 1), (64, 1)]):
        weight = (chance.standard_normal((out, channels, 3, 3)) * 0.05).astype(np.float32)
        weights.append(numpy_helper.from_array(weight, f"w{number}"))
        nodes.append(
            helper.make_node("Conv", [name, f"w{number}"], [f"c{number}"], strides=[stride] * 2, pads=[1] * 4)
        )
        nodes.append(helper.make_node("Relu", [f"c{number}"], [f"r{number}"]))
        name, channels = f"r{number}", out
    weights.append(numpy_helper.from_array(np.array([1, -1, 64], np.int64), "flat"))
    weights.append(
        numpy_helper.from_array((chance.standard_normal((64, 85)) * 0.01).astype(np.float32), "head")
    )
    weights.append(numpy_helper.from_array(np.array([0], np.int64), "first"))
    weights.append(numpy_helper.from_array(np.array([3549], np.int64), "last"))
    weights.append(numpy_helper.from_array(np.array([1], np.int64), "axis"))
    weights.append(numpy_helper.from_array(np.array([1, 2, 1], np.int64), "repeat"))
    nodes += [
        helper.make_node("Reshape", [name, "flat"], ["rows"]),
        helper.make_node("MatMul", ["rows", "head"], ["once"]),
        helper.make_node("Tile", ["once", "repeat"], ["twice"]),
        helper.make_node("Slice", ["twice", "first", "last", "axis"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "bench",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 416, 416])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 3549, 85])],
        weights,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


if __name__ == "__main__":
    for row in run(quick=True):
        print(row)
