"""Small real processes and folders for the launcher's tests."""

import contextlib
import os
import pwd
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from portal.launcher import proc
from portal.launcher.layout import ROOT
from portal.launcher.postgres_home import remove_home

PYTHON = sys.executable


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    """Poll until the condition holds; a generous limit that only a failure reaches."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextlib.contextmanager
def data_with_space(owner: int | None = None) -> Iterator[Path]:
    """A data folder with a space in its path, under a closed parent; gone afterwards with its database."""
    base = Path(tempfile.mkdtemp(prefix="vantage launcher "))
    data = base / "closed parent" / "the data"
    data.parent.mkdir(mode=0o700)
    if owner is not None:
        for path in (base, data.parent):
            os.chown(path, owner, -1)
    try:
        yield data
    finally:
        if owner is None:
            remove_home(data)
        shutil.rmtree(base, ignore_errors=True)


def launch(
    module: str,
    *arguments: str | Path,
    environment: dict[str, str] | None = None,
    python: Sequence[str] = (PYTHON,),
) -> subprocess.Popen[str]:
    """Start a module of the launcher as its own process, with that command for Python."""
    own = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    return subprocess.Popen(
        [*python, "-m", module, *(str(argument) for argument in arguments)],
        env={**own, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(environment or {})},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def output_of(module: str, *arguments: str | Path, **options: object) -> tuple[int, str]:
    """Exit status and output of a module of the launcher."""
    process = launch(module, *arguments, **options)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


def nobody() -> tuple[pwd.struct_passwd, list[str]]:
    """A normal user to become, and a command for a Python that user may run; skips where there is none."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv (util-linux) is not installed")
    user = pwd.getpwnam("nobody")
    # `env` in between: setpriv itself still starts its program with root's eyes.
    become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "env"]
    become += ["HOME=/nonexistent", f"PYTHONPATH={os.pathsep.join([str(ROOT), *site.getsitepackages()])}"]
    for python in (PYTHON, f"/usr/bin/python3.{sys.version_info.minor}"):
        probe = subprocess.run(
            [*become, python, "-c", "import psycopg"], check=False, capture_output=True, cwd="/"
        )
        if probe.returncode == 0:
            return user, [*become, python]
    pytest.skip(f"{PYTHON} lies in a folder closed to other users, and Debian has no such version")


def running_with(mark: str) -> list[int]:
    """Processes whose command line holds the mark."""
    found = []
    for stat in proc.all_stats():
        if stat.state not in {"Z", "X"} and any(mark in part for part in proc.command_line(stat.pid)):
            found.append(stat.pid)
    return [pid for pid in found if pid != os.getpid()]


def kill_hard(process: subprocess.Popen[str]) -> None:
    """`kill -9`, and wait for the end."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()
