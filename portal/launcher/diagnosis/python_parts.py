"""Python, the lock, and the libraries that bring native code."""

import os
import platform
import sys
from pathlib import Path

from portal.launcher import environment
from portal.launcher.diagnosis.finding import Finding

CODECS = ("h264", "hevc", "mjpeg", "mpeg4", "aac")
REINSTALL = "rm -rf .venv && ./vantage doctor"


def find(data: Path, port: int) -> list[Finding]:
    """Interpreter, lock, decoders, inference runtime."""
    return [interpreter(), lock(), video(), pictures(), runtime()]


def interpreter() -> Finding:
    """The Python this runs on."""
    version = platform.python_version()
    if (3, 11) <= sys.version_info[:2] < (3, 14):
        return Finding("python", "ok", f"{version} ({sys.executable})")
    return Finding("python", "missing", version, "VANTAGE_PYTHON=/path/to/python3.11 ./vantage doctor")


def lock() -> Finding:
    """Is the environment the lock's?"""
    stamp = environment.read_stamp(Path(sys.prefix))
    current = [kind for kind in environment.LOCKS if stamp.get(kind) == environment.lock_hash(kind)]
    if current:
        return Finding("lock", "ok", f"installed: {', '.join(environment.LOCKS[kind] for kind in current)}")
    return Finding("lock", "missing", f"{sys.prefix} was not made from the present lock", "./vantage build")


def video() -> Finding:
    """Can PyAV decode what cameras send?"""
    try:
        import av
    except ImportError as error:
        return Finding("video decoding", "missing", str(error), REINSTALL)
    lacking = [name for name in CODECS if name not in av.codecs_available]
    found = f"PyAV {av.__version__} with {', '.join(name for name in CODECS if name not in lacking)}"
    if lacking:
        return Finding("video decoding", "missing", f"{found}; lacks {', '.join(lacking)}", REINSTALL)
    return Finding("video decoding", "ok", found)


def pictures() -> Finding:
    """Does OpenCV load?"""
    try:
        import cv2
    except ImportError as error:
        return Finding("pictures", "missing", str(error), REINSTALL)
    return Finding("pictures", "ok", f"OpenCV {cv2.__version__}")


def runtime() -> Finding:
    """Which devices can ONNX Runtime use?"""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        return Finding("inference", "missing", str(error), REINSTALL)
    providers = [name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]
    return Finding(
        "inference", "ok", f"ONNX Runtime {onnxruntime.__version__}, built for {', '.join(providers)}"
    )
