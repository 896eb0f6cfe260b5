"""How near the engine comes to a bare ONNX Runtime loop. Ratios of one run; see 6-limits `inference.*`.

Both sides take the same frames of 1920×1080 from memory-backed storage with the same model, one image at a time on
the same number of threads. `bare` is the shortest loop by hand (read → resize → session.run → nothing); `engine` is
the real process behind its socket, asked as the inference tasks ask it: batches of 16 on two connections. It checks
specs, prepares, runs, decodes boxes, suppresses, applies rules, answers.

Frames lie there as the frame store writes them: a JPEG and its look (workers/vision/looks.py). The rows without an
ending are of looks, the road that frames take on a node; `_jpeg` are of JPEG files only, on both sides.

overhead_over_model: (time of an image through the socket on one thread − time inside the model) ÷ the latter.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort

from tests.bench._models import ROOT, BenchModel, committed, public
from tests.bench._pictures import stored
from workers.engine import NICE
from workers.vision.engine_client import EngineClient, wait_for_engine
from workers.vision.looks import SUFFIX
from workers.vision.runtimes.prepare import InputSpec, placement_for
from workers.vision.runtimes.providers import CPU, choose, present

THREADS = min(os.cpu_count() or 1, 8)
BATCH, CLIENTS = 16, 2
GOALS = {"engine_over_bare": 0.9, "overhead_over_model": 0.35}
_HEAD = 12  # bytes before a look's pixels
_ENGINE = (
    "import sys; from pathlib import Path; from workers.engine import EngineOptions, run;"
    "run(EngineOptions(Path(sys.argv[1]), threads=int(sys.argv[2]), children=sys.argv[3] == 'gpu'))"
)


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Measure; a row is {name, value, goal, ok, sides}."""
    cv2.setNumThreads(1)  # as in the engine's process, and as ready to give way as that one
    os.nice(max(0, NICE - os.nice(0)))
    models = [*public(), committed()]
    rows = []
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        folder = Path(name)
        paths = stored(folder)
        for number, model in enumerate(models):
            ending = "" if number == 0 else f"_{model.path.stem.split('_')[0].lower()}"
            with _Setup(folder / f"{number}.sock", model, paths) as setup:
                rows += _rows(setup, ending, quick=quick, looks=True)
                if number == 0:
                    rows += _rows(setup, "_jpeg", quick=quick, looks=False)
        if present()[0] != CPU:
            with _Setup(folder / "gpu.sock", models[0], paths, platform="auto") as setup:
                rows += _rows(setup, "_gpu", quick=quick, looks=True)
    return rows


def _rows(setup: _Setup, ending: str, *, quick: bool, looks: bool) -> list[dict[str, Any]]:
    rounds, seconds = (5, 0.6) if quick else (15, 1.2)
    pairs, overheads = [], []
    for _ in range(rounds):  # taken in turn: a noisy machine disturbs both alike
        pairs.append((*setup.engine_rate(seconds, looks=looks), *setup.bare_rate(seconds, looks=looks)))
        overheads.append(setup.alone(2, looks=looks))
    ratio = statistics.median(each[0] / each[2] for each in pairs)
    columns = [statistics.median(column) for column in zip(*pairs, strict=True)]
    sides = {key: statistics.median(each[key] for each in overheads) for key in overheads[0]}
    overhead = statistics.median(each["image_ms"] / each["model_ms"] - 1 for each in overheads)
    about = {"threads": THREADS, "model": setup.model.name, "input": setup.input.width}
    return [
        _row(
            "engine_over_bare",
            ending,
            ratio,
            {
                "engine_images_s": round(columns[0], 1),
                "bare_images_s": round(columns[2], 1),
                "engine_cpu_ms": round(columns[1], 2),
                "bare_cpu_ms": round(columns[3], 2),
                **about,
            },
        ),
        _row("overhead_over_model", ending, overhead, {key: round(value, 3) for key, value in sides.items()}),
    ]


def _row(name: str, ending: str, value: float, sides: dict[str, Any]) -> dict[str, Any]:
    goal = GOALS[name]
    ok = value >= goal if name == "engine_over_bare" else value <= goal
    return {"name": name + ending, "value": round(value, 3), "goal": goal, "ok": ok, "sides": sides}


class _Setup:
    """A real engine process, its clients, and the bare session."""

    def __init__(self, socket: Path, model: BenchModel, paths: list[Path], platform: str = "cpu") -> None:
        self.model, self.paths = model, paths
        self.input = InputSpec.from_manifest(model.entry["input"])
        self.spec = model.spec("bench", platform=platform)
        self.session = _session(model.path, platform)
        self.input_name = self.session.get_inputs()[0].name
        kind = "cpu" if platform == "cpu" else "gpu"
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ENGINE, str(socket), str(THREADS), kind], cwd=ROOT, env={**os.environ}
        )
        if not wait_for_engine(socket, 60):
            raise RuntimeError("the engine did not start")
        self.clients = [EngineClient(socket) for _ in range(CLIENTS)]
        self._moment = 0
        for client in self.clients:
            client.analyse([self._item(0, looks=True)])

    def __enter__(self) -> _Setup:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()
        self.process.terminate()
        self.process.wait(20)

    def _item(self, index: int, *, looks: bool, camera: str = "") -> dict[str, Any]:
        path = self.paths[index % len(self.paths)]
        self._moment += 1
        frame = {"path": str(path), "time_us": self._moment, "camera": camera or str(index), "preset": 0}
        if looks:
            frame["look"] = str(path.with_suffix(SUFFIX))
        return {"frame": frame, "executions": [self.spec]}

    def bare_once(self, index: int, *, looks: bool) -> None:
        """The shortest way from a file to the model's outputs."""
        path = self.paths[index % len(self.paths)]
        if looks:
            data = path.with_suffix(SUFFIX).read_bytes()
            across, down = int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:8], "big")
            image = np.frombuffer(data, np.uint8, offset=_HEAD).reshape(down, across, 3)
        else:
            image = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_4)
            if image.shape[1] < self.input.width:  # nobody makes an input by enlarging
                image = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_2)
        placed = placement_for(self.input, image.shape[1], image.shape[0])
        width, height = int(placed.scale_x), int(placed.scale_y)
        left, top = int(placed.offset_x), int(placed.offset_y)
        tensor = np.full((1, 3, self.input.height, self.input.width), self.input.pad, np.float32)
        tensor[0, :, top : top + height, left : left + width] = cv2.resize(image, (width, height)).transpose(
            2, 0, 1
        )
        if self.input.scale != 1.0:
            tensor *= np.float32(self.input.scale)
        self.session.run(None, {self.input_name: tensor})

    def bare_rate(self, seconds: float, *, looks: bool) -> tuple[float, float]:
        """Images a second of the bare loop, and CPU milliseconds of each."""
        spent = time.process_time()
        rate, done = _rate(lambda index: self.bare_once(index, looks=looks), THREADS, seconds, 1)
        return rate, (time.process_time() - spent) / done * 1e3

    def engine_rate(self, seconds: float, *, looks: bool) -> tuple[float, float]:
        """Images a second through the socket, and CPU milliseconds of each in both processes."""
        free = list(self.clients)

        def ask(index: int) -> None:
            client = free.pop()
            client.analyse([self._item(index + number, looks=looks) for number in range(BATCH)])
            free.append(client)

        spent = time.process_time() + self._engine_cpu()
        rate, done = _rate(ask, CLIENTS, seconds, BATCH)
        return rate, (time.process_time() + self._engine_cpu() - spent) / done * 1e3

    def _engine_cpu(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def alone(self, batches: int, *, looks: bool) -> dict[str, float]:
        """Milliseconds of an image on one thread: as seen by the client, and of each stage."""
        rows: list[dict[str, float]] = []
        started = time.perf_counter()
        for _ in range(batches):
            items = [self._item(index, looks=looks, camera="one") for index in range(BATCH)]
            rows += [found[0]["timings"] for found in self.clients[0].analyse(items)]
        whole = (time.perf_counter() - started) * 1e3 / len(rows)
        return {"image_ms": whole, **{name: statistics.fmean(row[name] for row in rows) for name in rows[0]}}


def _session(path: Path, platform: str) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=choose(platform))


def _rate(work: Callable[[int], None], threads: int, seconds: float, each: int) -> tuple[float, int]:
    """Images a second of `work` on so many threads, and how many; timed until the last call has finished."""
    ended = threading.Event()

    def loop(number: int) -> int:
        count = 0
        while not ended.is_set():
            work(count + number)
            count += 1
        return count

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(loop, number) for number in range(threads)]
        time.sleep(seconds)
        ended.set()
        done = sum(future.result() for future in futures)
    return done * each / (time.perf_counter() - started), done * each


if __name__ == "__main__":
    for row in run(quick=True):
        print(row)
