"""What this machine is, for benches and the doctor."""

import os
import platform
import shutil
import subprocess
from pathlib import Path


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def memory_mib() -> int:
    """Physical memory in MiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1024 * 1024)


def gpus() -> list[str]:
    """Names of NVIDIA devices; empty where there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return (
        [line.strip() for line in answer.stdout.splitlines() if line.strip()]
        if answer.returncode == 0
        else []
    )


def describe() -> dict[str, object]:
    """The `machine` of a bench's report."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": memory_mib(),
        "gpus": gpus(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_1m": round(os.getloadavg()[0], 2),
    }
