"""Batches that shrink when the device has no memory for them, then fall back to CPU; never a crash loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from workers.vision.runtimes.base import DeviceOutOfMemory, Model, Tensor

log = logging.getLogger(__name__)


class BatchRunner:
    """Runs single-image tensors in batches over one model.

    `fallback` opens a model that needs no device memory; it is opened once, on the first image that does
    not fit alone, and kept. A batch size that failed is not tried again.
    """

    def __init__(self, model: Model, fallback: Callable[[], Model] | None = None) -> None:
        self._model = model
        self._open_fallback = fallback
        self._fallback: Model | None = None
        self.size = max(model.batch_limit, 1)

    @property
    def degraded(self) -> bool:
        return self._fallback is not None or self.size < self._model.batch_limit

    def run(self, tensors: Sequence[Tensor]) -> list[list[Tensor]]:
        """Tensors of shape (1, …) in, per tensor its outputs (1, …); raises `DeviceOutOfMemory` at the end."""
        results: list[list[Tensor]] = []
        while len(results) < len(tensors):
            part = tensors[len(results) : len(results) + self.size]
            try:
                results.extend(self._run_part(part))
            except DeviceOutOfMemory:
                self._shrink(len(part))
        return results

    def close(self) -> None:
        """Close the model and what it fell back to."""
        self._model.close()
        if self._fallback is not None:
            self._fallback.close()

    def _run_part(self, part: Sequence[Tensor]) -> list[list[Tensor]]:
        model = self._fallback or self._model
        if len(part) == 1:
            return [model.run(part[0])]
        outputs = model.run(np.concatenate(part))
        return [[output[index : index + 1] for output in outputs] for index in range(len(part))]

    def _shrink(self, failed: int) -> None:
        if failed > 1:
            self.size = max(failed // 2, 1)
            log.warning("out of device memory: batch %d becomes %d", failed, self.size)
            return
        if self._fallback is not None or self._open_fallback is None:
            raise DeviceOutOfMemory("one image does not fit in memory and there is nothing to fall back to")
        log.warning("out of device memory for a single image: falling back to CPU")
        self._fallback = self._open_fallback()
