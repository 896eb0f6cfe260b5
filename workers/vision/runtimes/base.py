"""What every runtime offers, and how running a model can fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy.typing as npt

Tensor = npt.NDArray[Any]


class ModelError(Exception):
    """A model that cannot be used. `reason` is a stable code stored with the result."""

    reason = "model_error"


class ModelMissing(ModelError):
    """The file is not on this node."""

    reason = "model_missing"


class ModelCorrupt(ModelError):
    """The file's SHA-256 is not the one the manifest names."""

    reason = "model_corrupt"


class ModelRefused(ModelError):
    """The runtime does not open the file (format, operators, memory)."""

    reason = "model_refused"


class DeviceOutOfMemory(ModelError):
    """The device had no memory for this batch; a smaller one may pass."""

    reason = "out_of_memory"


class Preempted(DeviceOutOfMemory):
    """The room this model had was given to work of a higher priority, as its own executions allow."""

    reason = "preempted"


class Model(Protocol):
    """An opened model. `run` may be called from many threads at once."""

    memory_bytes: int
    providers: Sequence[str]
    batch_limit: int
    """How many images one run may take; 1 where batching gains nothing."""

    def run(self, tensor: Tensor) -> list[Tensor]:
        """One tensor (batch first) in, the model's outputs in declared order out; raises `ModelError`."""
        ...

    def close(self) -> None: ...
