"""An opened model as the engine uses it: straight calls on CPU, batches formed by waiting callers on a GPU."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from workers.vision.runtimes.base import Model, Tensor
from workers.vision.runtimes.batching import BatchRunner


@dataclass(eq=False)
class _Waiting:
    tensor: Tensor
    done: threading.Event = field(default_factory=threading.Event)
    outputs: list[Tensor] = field(default_factory=list)
    error: Exception | None = None


class ServedModel:
    """`infer` takes one image's tensor from any thread. Counts its runs and the time inside the model.

    With a batch limit above one the first caller leads: it runs everything that gathered while the device was
    busy, so batches grow with the load and nobody waits for a timer.
    """

    def __init__(self, model: Model, fallback: Callable[[], Model] | None = None) -> None:
        self._model = model
        self._runner = BatchRunner(model, fallback)
        self._serial = model.batch_limit > 1 or fallback is not None
        self._queue: list[_Waiting] = []
        self._queue_lock = threading.Lock()
        self._device_lock = threading.Lock()
        self.memory_bytes = model.memory_bytes
        self.providers = tuple(model.providers)
        self.runs = 0
        self.busy_seconds = 0.0

    def infer(self, tensor: Tensor) -> list[Tensor]:
        """(1, …) in, outputs (1, …) out; raises `ModelError`."""
        started = time.perf_counter()
        outputs = self._batch(tensor) if self._serial else self._model.run(tensor)
        self.runs += 1
        self.busy_seconds += time.perf_counter() - started
        return outputs

    @property
    def degraded(self) -> bool:
        """Has it run out of device memory before?"""
        return self._runner.degraded

    def close(self) -> None:
        self._runner.close()

    def _batch(self, tensor: Tensor) -> list[Tensor]:
        own = _Waiting(tensor)
        with self._queue_lock:
            self._queue.append(own)
        with self._device_lock:
            if not own.done.is_set():
                self._run_gathered()
        own.done.wait()
        if own.error is not None:
            raise own.error
        return own.outputs

    def _run_gathered(self) -> None:
        with self._queue_lock:
            gathered, self._queue = self._queue, []
        try:
            for waiting, outputs in zip(
                gathered, self._runner.run([each.tensor for each in gathered]), strict=True
            ):
                waiting.outputs = outputs
        except Exception as error:
            for waiting in gathered:
                waiting.error = error
        finally:
            for waiting in gathered:
                waiting.done.set()
