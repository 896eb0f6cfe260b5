"""Starting children that cannot outlive us, and stopping them.

A child gets its own process group and asks the kernel for a signal when its parent dies (`PR_SET_PDEATHSIG`),
so that a `kill -9` of the launcher leaves nothing behind. The kernel ties that signal to the *thread* that
forked: start children from the main thread, or from one that lives as long as they shall.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(death_signal: int) -> Callable[[], None]:
    """A `preexec_fn` that ties the child to the process that calls this function."""
    parent = os.getpid()

    def tie() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # the parent died between fork and prctl
            os._exit(1)

    return tie


def spawn(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    output: IO[bytes] | int,
    folder: Path | None = None,
    death_signal: int = signal.SIGTERM,
    user: int | None = None,
    group: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command in its own process group, without stdin, tied to our life."""
    return subprocess.Popen(
        [os.fspath(part) for part in command],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=folder,
        user=user,
        group=group,
        extra_groups=[] if user is not None else None,
        process_group=0,
        preexec_fn=die_with_parent(death_signal),
    )


def signal_group(process: subprocess.Popen[Any], number: int) -> None:
    """Send a signal to the child's whole process group; nothing where it has gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def stop(process: subprocess.Popen[bytes], steps: Sequence[tuple[int, float]]) -> int:
    """Send each signal in turn and wait its seconds until the process ends; at last SIGKILL to its group.

    Returns the exit status.
    """
    for number, seconds in steps:
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    signal_group(process, signal.SIGKILL)
    return process.wait()


def wait_until_gone(is_there: Callable[[], bool], seconds: float) -> bool:
    """Poll until `is_there()` is false; False where it still is after that time."""
    deadline = time.monotonic() + seconds
    while is_there():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
