"""ONNX Runtime sessions.

On CPU: one session, one intra-op thread, no arena growth beyond need, many threads calling it; batching
gains nothing there (6-limits, 4). On CUDA and TensorRT batches up to the manifest's limit. Custom operator
libraries are never registered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort

from workers.vision.runtimes.base import DeviceOutOfMemory, ModelError, ModelMissing, ModelRefused, Tensor
from workers.vision.runtimes.providers import CPU, choose

SESSION_BYTES = 26 * 2**20
"""What a session costs beside its weights, measured."""

_MEMORY_WORDS = ("out of memory", "failed to allocate", "bad_alloc", "bfcarena", "cuda_error_out_of_memory")


class OnnxModel:
    """One opened ONNX file; `run` is safe from many threads."""

    def __init__(
        self, path: Path, *, platform: str = "cpu", max_batch: int = 1, intra_threads: int = 1
    ) -> None:
        """Open `path`; `max_batch` counts only beside a GPU.

        Raises `ModelMissing`, `ModelRefused`, or `DeviceOutOfMemory` where a device has no room for it.
        """
        if not path.is_file():
            raise ModelMissing(f"{path.name} is not on this node")
        wanted = choose(platform)
        try:
            self._session = ort.InferenceSession(str(path), _options(intra_threads), providers=wanted)
        except Exception as error:
            if _is_memory(error):
                raise DeviceOutOfMemory(_first_line(error)) from error
            raise ModelRefused(f"{path.name} does not open: {_first_line(error)}") from error
        self.providers: Sequence[str] = tuple(self._session.get_providers())
        self.memory_bytes = path.stat().st_size * 2 + SESSION_BYTES
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise ModelRefused(
                f"{path.name} has {len(inputs)} inputs; models of one image input are supported"
            )
        self.input_name = inputs[0].name
        self.input_shape: tuple[Any, ...] = tuple(inputs[0].shape)
        self.input_type = str(inputs[0].type)
        self.output_names = [output.name for output in self._session.get_outputs()]
        dynamic = not isinstance(self.input_shape[0], int) if self.input_shape else False
        self.batch_limit = max(max_batch, 1) if self.providers[0] != CPU and dynamic else 1

    def run(self, tensor: Tensor) -> list[Tensor]:
        try:
            feed: Mapping[str, Tensor] = {self.input_name: tensor}
            outputs: list[Tensor] = self._session.run(self.output_names, feed)
        except Exception as error:
            if _is_memory(error):
                raise DeviceOutOfMemory(_first_line(error)) from error
            raise ModelError(_first_line(error)) from error
        return outputs

    def close(self) -> None:
        """Let the session go; what a GPU allocator holds comes back only when the process ends."""
        del self._session


def _options(intra_threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = intra_threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3  # some public models print hundreds of warnings on opening
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _is_memory(error: BaseException) -> bool:
    message = str(error).lower()
    return any(word in message for word in _MEMORY_WORDS)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
