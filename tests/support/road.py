"""The real processes of the whole road on a test's own database, broker database and folders.

    with claimed_broker(url) as broker, Road(folder, database=…, broker=broker) as road:
        road.start()
        road.until(lambda: Event.objects.first(), 60, "an event")

It knows no pytest: benches use it too. Each process writes `<name>.log` in the folder; `until` shows their ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

import redis

from portal.launcher import lifeline, readiness

ROOT = Path(__file__).resolve().parents[2]
OWN_BROKERS = range(8, 13)
CLAIM = "vantage:test-road"
PYTHON = sys.executable
MANAGE = (PYTHON, "manage.py")
CELERY = (PYTHON, "-m", "celery", "-A", "portal.celery", "worker", "--without-gossip", "--without-mingle")
WEB = (
    *(PYTHON, "-m", "uvicorn", "portal.asgi:application", "--host", "127.0.0.1", "--no-access-log"),
    # As in Procfile: compressing each page's frame costs 20 times the sending.
    *("--ws", "apps.core.realtime.server:SharedProtocol", "--ws-per-message-deflate", "false"),
)
COMMANDS: dict[str, tuple[str, ...]] = {
    "engine": (*MANAGE, "engine"),
    "capture": (*CELERY, "-Q", "capture", "-c", "2", "--loglevel", "INFO"),
    "analysis": (*CELERY, "-Q", "inference.cpu,strategies,default", "-c", "2", "--loglevel", "INFO"),
    "streams": (*MANAGE, "streams"),
    "scheduler": (*MANAGE, "scheduler"),
    "courier": (*MANAGE, "courier"),
    "web": (*WEB, "--timeout-graceful-shutdown", "3"),
}
STOP_STEPS = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
T = TypeVar("T")


class Road:
    """Starts, restarts and ends the processes by their ids; a context manager that ends them all."""

    def __init__(
        self,
        folder: Path,
        *,
        database: str,
        broker: str,
        data: Path,
        exact: Sequence[str] = (),
        media_roots: Sequence[Path] = (),
        names: Sequence[str] = tuple(COMMANDS),
    ) -> None:
        """`folder` gets the logs, sockets and frames; `data` is VANTAGE_DATA, `exact` VANTAGE_OUTBOUND_EXACT."""
        self.folder, self.names, self.port = folder, tuple(names), free_port()
        self.frames, self.run = folder / "frames", folder / "run"
        self.processes: dict[str, Popen[bytes]] = {}
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("VANTAGE_")},
            "DJANGO_SETTINGS_MODULE": "portal.settings.demo",
            "DATABASE_URL": database,
            "REDIS_URL": broker,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "ORT_DISABLE_TELEMETRY": "1",
            "VANTAGE_DATA": str(data),
            "VANTAGE_RUN": str(self.run),
            "VANTAGE_FRAMES": str(self.frames),
            "VANTAGE_PORT": str(self.port),
            "VANTAGE_PUBLIC_URL": self.url,
            "VANTAGE_OUTBOUND_EXACT": ",".join(exact),
            "VANTAGE_MEDIA_ROOTS": ",".join(str(root) for root in media_roots),
        }

    @property
    def url(self) -> str:
        """Where the web answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, seconds: float = 180.0) -> Self:
        """Start all processes and wait until each says that it works."""
        self.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in self.names:
            self._launch(name)
        ends = time.monotonic() + seconds
        for name in self.names:
            self.wait_ready(name, ends - time.monotonic())
        return self

    def wait_ready(self, name: str, seconds: float = 60.0) -> None:
        """Wait until the process of this name serves; AssertionError with its log where it does not."""
        self.until(lambda: self._is_ready(name), seconds, f"{name} to be ready")

    def kill(self, name: str) -> None:
        """SIGKILL, as a machine would lose it; its whole group."""
        process = self.processes.pop(name)
        lifeline.signal_group(process, signal.SIGKILL)
        process.wait(10)

    def restart(self, name: str) -> None:
        """Start a process that was killed."""
        self._launch(name)
        self.wait_ready(name)

    def stop(self) -> None:
        """End every process: SIGTERM to all, then SIGKILL to what is left of their groups."""
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            lifeline.stop(process, STOP_STEPS)
        self.processes.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def until(self, check: Callable[[], T], seconds: float, what: str) -> T:
        """Ask every 0.1 s until `check` gives something true, and return it. No process may end meanwhile."""
        ends = time.monotonic() + seconds
        while not (found := check()):
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} ended while waiting for {what}\n{self.logs()}"
            assert time.monotonic() < ends, f"waited {seconds:.0f} s in vain for {what}\n{self.logs()}"
            time.sleep(0.1)
        return found

    def logs(self, lines: int = 25) -> str:
        """The last lines of every log, long ones cut, without the tasks that came and went."""
        parts = []
        for path in sorted(self.folder.glob("*.log")):
            text = path.read_text(encoding="utf-8", errors="replace").splitlines()
            said = [line[:400] for line in text if not ('"info"' in line and '"celery.' in line)]
            parts.append("\n".join([f"--- {path.name}", *said[-lines:]]))
        return "\n".join(parts)

    def _launch(self, name: str) -> None:
        command = COMMANDS[name]
        if name == "web":
            command = (*command, "--port", str(self.port))
        if command[: len(CELERY)] == CELERY:
            command = (*command, "-n", f"{name}-{os.getpid()}@%h")
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = lifeline.spawn(
                command,
                environment={**self.environment, "VANTAGE_PROCESS": name},
                output=log,
                folder=ROOT,
            )

    def _is_ready(self, name: str) -> bool:
        if name == "web":
            return readiness.answers_ok(self.port)
        if name == "engine":
            return accepts(self.run / "engine.sock")
        if name == "streams":
            return accepts(self.run / "live.sock")
        marks = {"scheduler": b"scheduler: leads", "courier": b"writer: took the lease"}
        return marks.get(name, b" ready.") in (self.folder / f"{name}.log").read_bytes()


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def accepts(path: Path) -> bool:
    """Whether something listens on the Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def address_of(database: dict[str, Any]) -> str:
    """The URL of a Django database entry, for processes of their own."""
    host = f"{database['HOST'] or '127.0.0.1'}:{database['PORT'] or 5432}"
    return f"postgresql://{quote(database['USER'])}:{quote(database['PASSWORD'])}@{host}/{database['NAME']}"


@contextlib.contextmanager
def claimed_broker(url: str) -> Iterator[str]:
    """The URL of a Redis database that nobody else uses meanwhile; emptied before and after."""
    for number in OWN_BROKERS:
        own = urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
        client = redis.Redis.from_url(own)
        if client.set(CLAIM, os.getpid(), nx=True, ex=1800):
            break
    else:
        raise RuntimeError(f"the Redis databases {OWN_BROKERS} are all in use by other runs")
    try:
        for key in client.scan_iter(count=1000):
            if key != CLAIM.encode():
                client.delete(key)
        yield own
    finally:
        client.flushdb()
        client.close()


@contextlib.contextmanager
def served_here(broker: str) -> Iterator[None]:
    """This process's wakes and tasks go to `broker`, as those of the road's processes do."""
    from celery import current_app

    from apps.core import wake

    before, client = current_app.conf.broker_url, wake._client
    try:
        _send_tasks_to(broker)
        wake._client = redis.Redis.from_url(broker, socket_timeout=5)
        yield
    finally:
        _send_tasks_to(before)
        wake._client = client


def _send_tasks_to(url: str) -> None:
    from celery import current_app

    if current_app.conf.broker_url == url:
        return
    from kombu import pools

    current_app.pool.force_close_all()
    pools.reset()  # else the next use of this address would be given the closed pool
    current_app._pool = current_app.amqp._producer_pool = None
    current_app.conf.broker_url = url
