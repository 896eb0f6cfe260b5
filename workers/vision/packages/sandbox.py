"""A child process for opening what strangers made: little memory, little time, no network, no writing.

Limits: RLIMIT_AS, RLIMIT_CPU, RLIMIT_FSIZE 0, RLIMIT_CORE 0; it dies with its parent; a seccomp filter refuses
new sockets, new programs and tracing (where the kernel and the processor are known; else it says so).
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import platform
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workers.vision.inference.processes import die_with_parent

log = logging.getLogger(__name__)

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_EPERM, _RET_ERRNO, _RET_ALLOW = 1, 0x00050000, 0x7FFF0000
_FORBIDDEN = {  # socket, connect, execve, execveat, ptrace, bind, io_uring_setup
    "x86_64": (0xC000003E, (41, 42, 59, 322, 101, 49, 425)),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 117, 200, 425)),
}


@dataclass(frozen=True)
class SandboxLimits:
    """memory_bytes: address space; seconds: of the clock; the processor gets as many again."""

    memory_bytes: int = 6 * 2**30
    seconds: float = 120.0


class SandboxFailed(RuntimeError):
    """The child did not come to an answer: `code` is timeout, crashed or failed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def run_module(
    module: str, arguments: Sequence[str], question: Any, limits: SandboxLimits | None = None
) -> Any:
    """Run `python -m module` with JSON on its standard input; returns the JSON of its last output line."""
    limits = limits or SandboxLimits()
    environment = {  # no secret of ours reaches the child
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
    }
    command = [
        sys.executable,
        "-m",
        module,
        str(os.getpid()),
        str(limits.memory_bytes),
        str(int(limits.seconds)),
    ]
    process = subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
        close_fds=True,
    )
    try:
        output, errors = process.communicate(json.dumps(question).encode(), limits.seconds)
    except subprocess.TimeoutExpired:
        raise SandboxFailed("timeout", f"no answer within {limits.seconds:.0f} s") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return _answer(process.returncode, output, errors)


def confine(arguments: Sequence[str]) -> list[str]:
    """Call first in the child with sys.argv[1:]; confines this process and returns the module's own arguments."""
    parent, memory, seconds = (int(each) for each in arguments[:3])
    die_with_parent(parent)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return list(arguments[3:])


def close_doors() -> bool:
    """Refuse sockets, programs and tracing from here on; False where this kernel or processor is not known."""
    known = _FORBIDDEN.get(platform.machine())
    if known is None or not sys.platform.startswith("linux"):
        return False
    architecture, calls = known
    program = _filter(architecture, calls)
    buffer = ctypes.create_string_buffer(program, len(program))
    count = len(program) // 8
    holder = ctypes.create_string_buffer(struct.pack("HxxxxxxP", count, ctypes.addressof(buffer)))
    kernel = ctypes.CDLL(None, use_errno=True)
    kernel.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]  # an address does not fit in an int
    if kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return int(kernel.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(holder), 0, 0)) == 0


def _filter(architecture: int, calls: Sequence[int]) -> bytes:
    """Classic BPF: wrong architecture or a listed call → EPERM, anything else is allowed."""

    def step(code: int, yes: int, no: int, value: int) -> bytes:
        return struct.pack("HBBI", code, yes, no, value)

    load, equal, answer = 0x20, 0x15, 0x06
    checks = [step(equal, len(calls) - index, 0, call) for index, call in enumerate(calls)]
    return b"".join(
        [
            step(load, 0, 0, 4),
            step(equal, 0, len(calls) + 2, architecture),
            step(load, 0, 0, 0),
            *checks,
            step(answer, 0, 0, _RET_ALLOW),
            step(answer, 0, 0, _RET_ERRNO | _EPERM),
        ]
    )


def _answer(code: int, output: bytes, errors: bytes) -> Any:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    if code == 0 and lines:
        try:
            return json.loads(lines[-1])
        except ValueError:
            raise SandboxFailed("failed", "the child gave no readable answer") from None
    log.info("checking child ended with %s: %s", code, errors.decode("utf-8", "replace")[-2000:])
    if code < 0:
        name = signal.Signals(-code).name
        raise SandboxFailed("crashed", f"the model made its process end ({name}): time or memory ran out")
    raise SandboxFailed("failed", "the model could not be opened within the memory and time allowed")
