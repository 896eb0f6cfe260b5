"""A real Celery worker on the test database and a broker database of its own, to be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection

from portal.launcher import proc
from tests.support.road import address_of

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def celery_worker(
    folder: Path, broker: str, *, queues: str, name: str = "w", app: str = "portal.celery", **extra: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Started, not waited for; its group is killed at the end. `extra` is environment; the log is `<name>.log`.

    One pool child, unless VANTAGE_CHILDREN says otherwise.
    """
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
        "DATABASE_URL": address_of(connection.settings_dict),
        "REDIS_URL": broker,
        "PYTHONPATH": str(ROOT),
        "VANTAGE_DATA": str(folder / "data"),
        "VANTAGE_RUN": str(folder / "run"),
        "VANTAGE_FRAMES": str(folder / "frames"),
        "VANTAGE_NODE": settings.VANTAGE_NODE,
        **extra,
    }
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "-Q", queues]
    command += ["-c", environment.get("VANTAGE_CHILDREN", "1"), "-n", f"{name}-{os.getpid()}@%h"]
    command += ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    with open(folder / f"{name}.log", "ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def children_of(pid: int) -> list[int]:
    """Living direct children."""
    return [stat.pid for stat in proc.all_stats() if stat.parent == pid and stat.state not in "ZX"]


def said(folder: Path, words: str, name: str = "w") -> bool:
    """Whether the worker's log holds the words."""
    return words in (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
