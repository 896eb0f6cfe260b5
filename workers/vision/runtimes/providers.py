"""Which execution providers this machine really has, best first."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache

import onnxruntime as ort

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"

_PREFERENCE = {
    "cpu": (CPU,),
    "cuda": (CUDA, CPU),
    "tensorrt": (TENSORRT, CUDA, CPU),
    "auto": (TENSORRT, CUDA, CPU),
}


@cache
def present() -> tuple[str, ...]:
    """Providers whose libraries load here; the GPU build lists CUDA on machines without a GPU too."""
    compiled = ort.get_available_providers()
    usable = [CPU]
    if CUDA in compiled and _loads("libcuda.so.1") and _has_device():
        usable.insert(0, CUDA)
        if TENSORRT in compiled and _loads("libnvinfer.so.10"):
            usable.insert(0, TENSORRT)
    return tuple(usable)


def choose(platform: str, available: Sequence[str] | None = None) -> list[str]:
    """Providers to open a session with for a package's platform; CPU is always the last resort.

    An unknown platform raises ValueError: it needs another runtime, not a silent fall back.
    """
    if platform not in _PREFERENCE:
        raise ValueError(f"platform {platform!r} cannot be run by ONNX Runtime here")
    usable = present() if available is None else available
    return [name for name in _PREFERENCE[platform] if name in usable] or [CPU]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_device() -> bool:
    driver = ctypes.CDLL("libcuda.so.1")
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
