"""A device with a memory budget, for models that open on it or on the CPU beside it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from tests.vision.engine_models import spec
from workers.vision.runtimes.base import DeviceOutOfMemory

MODEL, IMAGE = 100, 20


class Gpu:
    """A device with a budget of bytes for models and their runs; the CPU beside it has room for `cpu` models."""

    def __init__(self, budget: int, cpu: int = 100) -> None:
        self.free, self.cpu = budget, cpu
        self.opened: list[tuple[str, str]] = []
        self.running, self.may_end = threading.Event(), threading.Event()
        self.slow = ""
        """The id of a model whose runs wait for `may_end`."""

    def open(self, model: Any, platform: str) -> Any:
        self.opened.append((model.id, platform))
        if platform == "cpu":
            if self.cpu == 0:
                raise DeviceOutOfMemory("bad_alloc")
            self.cpu -= 1
            return self._model(model.id, 0, ("CPUExecutionProvider",), 1)
        if self.free < MODEL:
            raise DeviceOutOfMemory("no room")
        self.free -= MODEL
        return self._model(model.id, MODEL, ("CUDAExecutionProvider",), 8)

    def places(self, name: str) -> list[str]:
        """Where this model was opened, or tried to be, in order."""
        return [platform for model, platform in self.opened if model == name]

    def _model(self, name: str, size: int, providers: tuple[str, ...], batch: int) -> Any:
        gpu = self

        class OnGpu:
            memory_bytes, batch_limit = MODEL, batch

            def __init__(self) -> None:
                self.providers = providers

            def run(self, tensor: Any) -> list[Any]:
                if size and gpu.free < len(tensor) * IMAGE:
                    raise DeviceOutOfMemory("no room for the run")
                if name == gpu.slow:
                    gpu.running.set()
                    assert gpu.may_end.wait(30)
                return [np.full((len(tensor), 5, 1), 0.9, np.float32)]

            def close(self) -> None:
                gpu.free += size

        return OnGpu()


def on_gpu(folder: Path, name: str, priority: int = 0, *, preemptible: bool = False) -> dict[str, Any]:
    """An execution of a model of its own, one letter its name."""
    execution = spec(folder / name, f"{name}{priority}{preemptible}", package=name * 64)
    execution["platform"] = "cuda"
    execution["model"]["id"] = name
    execution["model"]["sha256"] = name * 64
    if priority or preemptible:
        execution["schedule"] = {"priority": priority, "preemptible": preemptible}
    return execution
