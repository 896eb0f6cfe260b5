"""The machine: processor, memory, disk, ports, folders, GPU."""

import os
import shutil
from pathlib import Path

from portal.launcher import machine
from portal.launcher.diagnosis.finding import Finding
from portal.launcher.layout import ROOT
from portal.launcher.ports import is_free

DISK_NEEDED_MIB = 3000
SHARED_MEMORY_NEEDED_MIB = 256


def find(data: Path, port: int) -> list[Finding]:
    """Everything below the software."""
    return [
        processor(),
        graphics(),
        disk(data),
        shared_memory(),
        web_port(port),
        data_folder(data),
        checkout(),
    ]


def processor() -> Finding:
    """Cores and memory."""
    about = machine.describe()
    return Finding(
        "machine", "ok", f"{about['cores']} cores of {about['processor']}, {about['memory_mib']} MiB"
    )


def graphics() -> Finding:
    """An NVIDIA GPU, if any."""
    found = machine.gpus()
    if not found:
        return Finding("gpu", "optional", "none: inference runs on the CPU")
    return Finding("gpu", "ok", "; ".join(found))


def disk(data: Path) -> Finding:
    """Room for environment, clips and database."""
    free = shutil.disk_usage(data).free // (1024 * 1024)
    if free < DISK_NEEDED_MIB:
        mend = f"free {DISK_NEEDED_MIB - free} MiB there, or choose another folder: --data DIR"
        return Finding("disk", "missing", f"{free} MiB free at {data}", mend)
    return Finding("disk", "ok", f"{free} MiB free at {data}")


def shared_memory() -> Finding:
    """Frames wait in memory between processes."""
    folder = Path("/dev/shm")  # noqa: S108 - only its size is read
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return Finding("shared memory", "optional", "no writable /dev/shm: frames wait on disk")
    free = shutil.disk_usage(folder).free // (1024 * 1024)
    if free < SHARED_MEMORY_NEEDED_MIB:
        mend = f"docker run --shm-size={SHARED_MEMORY_NEEDED_MIB}m …, or VANTAGE_FRAMES=/another/folder"
        return Finding("shared memory", "optional", f"{free} MiB free in {folder}", mend)
    return Finding("shared memory", "ok", f"{free} MiB free in {folder}")


def web_port(port: int) -> Finding:
    """The port of the web."""
    if is_free(port):
        return Finding("port", "ok", f"{port} on 127.0.0.1 is free")
    mend = f"./vantage demo --port {port + 1}   (or end what listens there: ss -ltnp 'sport = :{port}')"
    return Finding("port", "optional", f"{port} on 127.0.0.1 is taken", mend)


def data_folder(data: Path) -> Finding:
    """The data folder is ours alone."""
    mode = data.stat().st_mode & 0o777
    if mode & 0o077:
        return Finding(
            "data folder", "optional", f"{data} is open to others ({mode:04o})", f"chmod 700 '{data}'"
        )
    return Finding("data folder", "ok", f"{data} ({mode:04o})")


def checkout() -> Finding:
    """May the environment and the front end be made in the checkout?"""
    if os.access(ROOT, os.W_OK):
        return Finding("checkout", "ok", f"{ROOT} is writable")
    mend = "./vantage demo --data DIR   (the environment goes there too)"
    return Finding("checkout", "optional", f"{ROOT} is read-only for this user", mend)
