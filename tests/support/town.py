"""A whole Vantage of its own, to be broken: PostgreSQL and Valkey, the supervised processes of one node or two,
cameras on loopback and a receiver of webhooks.

    with Town(folder) as town:
        town.arrange(cameras=3)
        town.until(lambda: Event.objects.exists(), 120, "an event")
        town.kill("engine")
        verdict = town.verdict()

The processes are those of the demo, kept by the product's own supervisor: what is killed comes back as it would at
a site. It knows no pytest; `./vantage soak` uses it too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

from portal.launcher import proc, readiness
from portal.launcher.layout import ROOT, process_environment
from portal.launcher.ports import free_port
from portal.launcher.postgres_home import remove_home
from portal.launcher.procfile import ProcessSpec, read_procfile
from portal.launcher.services import Services
from portal.launcher.supervisor import Supervisor
from tests.support.http_camera import HttpCamera
from tests.support.receiver import Receiver

SETTINGS = "portal.settings.demo"
OF_A_NODE = ("engine", "streams", "capture", "analysis")
EVERY = 5.0
T = TypeVar("T")


class Town:
    """Starts everything at `__enter__`; `folder` holds logs, sockets, frames and the services' data."""

    def __init__(
        self, folder: Path, *, names: tuple[str, ...] = (), extra: dict[str, str] | None = None
    ) -> None:
        """`names` limits the processes (default: all of the demo but its streamer); `extra` is environment."""
        self.folder, self.port, self.extra = folder, free_port(), dict(extra or {})
        self.names = names
        self.services = Services(folder / "services", throwaway=True, given={})
        self.cameras, self.receiver = HttpCamera(), Receiver()
        self.nodes: dict[str, Supervisor] = {}
        self.said: list[str] = []
        self.is_reviving = True
        self.city: Any = None
        self.tasks: list[Any] = []
        self.looked_at: list[Any] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _open(self) -> None:
        self._stack.callback(remove_home, self.services.data)
        self._stack.enter_context(self.services)
        urls = self.services.urls()
        self._stack.enter_context(here(urls, self.folder))
        from tests.support import lease_log

        lease_log.install()
        self._stack.enter_context(self.cameras)
        self._stack.enter_context(self.receiver)
        self._stack.callback(self.stop)

    @property
    def url(self) -> str:
        """Where the web answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def exact(self) -> list[str]:
        """The loopback addresses our own cameras and receivers use."""
        return [f"127.0.0.1:{self.cameras.port}", self.receiver.address]

    # -- processes ---------------------------------------------------------------------------------------------

    def start(self, seconds: float = 180.0) -> Self:
        """Start the first node and wait until its pieces work."""
        specs = read_procfile(ROOT / "Procfile.demo")
        wanted = [
            spec for spec in specs if spec.name != "streamer" and (not self.names or spec.name in self.names)
        ]
        self.nodes["node-1"] = self._node("node-1", wanted)
        self.nodes["node-1"].start()
        self.until(lambda: self.is_ready("node-1"), seconds, "the processes of node-1")
        return self

    def add_node(self, name: str, seconds: float = 180.0) -> None:
        """A second worker environment: own frames, own sockets, own node id, the same database and broker."""
        specs = [spec for spec in read_procfile(ROOT / "Procfile.demo") if spec.name in OF_A_NODE]
        self.nodes[name] = self._node(name, specs)
        self.nodes[name].start()
        self.until(lambda: self.is_ready(name), seconds, f"the processes of {name}")

    def is_ready(self, node: str) -> bool:
        """All that was started for the node serves."""
        names, run = {managed.spec.name for managed in self.nodes[node].managed}, self.folder / node / "run"
        from tests.support.road import accepts

        checks: dict[str, Callable[[], bool]] = {
            "web": lambda: readiness.answers_ok(self.port, "/readyz"),
            "engine": lambda: accepts(run / "engine.sock"),
            "streams": lambda: accepts(run / "live.sock"),
            "scheduler": lambda: "scheduler: leads" in self.log(node, "scheduler"),
            "courier": lambda: "writer: took the lease" in self.log(node, "courier"),
            "capture": lambda: " ready." in self.log(node, "capture"),
            "analysis": lambda: " ready." in self.log(node, "analysis"),
        }
        return all(checks[name]() for name in sorted(names))

    def log(self, node: str, name: str) -> str:
        """What the process has said so far."""
        path = self.folder / node / "logs" / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def pid(self, name: str, node: str = "node-1") -> int:
        """The process id of a supervised process that runs."""
        return self.nodes[node].pids()[name]

    def children(self, name: str, node: str = "node-1") -> list[int]:
        """Its direct children."""
        parent = self.pid(name, node)
        return [stat.pid for stat in proc.all_stats() if stat.parent == parent and stat.state not in "ZX"]

    def kill(self, name: str, node: str = "node-1") -> None:
        """SIGKILL to the process and its group; the supervisor starts it again."""
        with contextlib.suppress(ProcessLookupError, KeyError):
            os.killpg(self.pid(name, node), signal.SIGKILL)

    def stop(self) -> None:
        """End all processes of all nodes."""
        for name in list(self.nodes):
            self.nodes.pop(name).stop()

    def _node(self, name: str, specs: list[ProcessSpec]) -> Supervisor:
        from django.conf import settings

        folder = self.folder / name
        (folder / "run").mkdir(mode=0o700, parents=True, exist_ok=True)
        environment = {
            **process_environment(Path(settings.VANTAGE_DATA), self.services.urls(), SETTINGS),
            "VANTAGE_NODE": name,
            "VANTAGE_RUN": str(folder / "run"),
            "VANTAGE_FRAMES": str(folder / "frames"),
            "VANTAGE_PORT": str(self.port),
            "VANTAGE_PUBLIC_URL": self.url,
            "VANTAGE_OUTBOUND_EXACT": ",".join(self.exact),
            "VANTAGE_MEDIA_ROOTS": "",
            **self.extra,
        }
        return Supervisor(specs, data=folder, environment=environment, say=self.said.append)

    # -- time --------------------------------------------------------------------------------------------------

    def tend(self) -> None:
        """One look: the supervisors start what fell, the services are revived (only here: the kernel ties a child
        to the thread that started it, so always from the main thread)."""
        for supervisor in self.nodes.values():
            supervisor.tend()
        if self.is_reviving:
            self.said += [f"{name} was started again" for name in self.services.revive()]

    def sleep(self, seconds: float) -> None:
        """Let that much time pass, tending."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.tend()
            time.sleep(0.1)

    def until(self, check: Callable[[], T], seconds: float, what: str) -> T:
        """Tend until `check` gives something true, and return it; a database that is away is simply not yet."""
        from django.db import DatabaseError, InterfaceError, connection

        ends = time.monotonic() + seconds
        while True:
            with contextlib.suppress(DatabaseError, InterfaceError, ConnectionError):
                if found := check():
                    return found
            if connection.connection is not None and connection.connection.closed:
                connection.close()
            if time.monotonic() > ends:
                raise AssertionError(f"waited {seconds:.0f} s in vain for {what}\n{self.logs()}")
            self.tend()
            time.sleep(0.1)

    def logs(self, lines: int = 12) -> str:
        """What the supervisors said and the ends of all logs."""
        parts = ["--- supervisors", *self.said[-20:]]
        for path in sorted(self.folder.glob("*/logs/*.log")):
            text = path.read_text(encoding="utf-8", errors="replace").splitlines()
            said = [line[:300] for line in text if not ('"info"' in line and '"celery.' in line)]
            parts += [f"--- {path.parent.parent.name}/{path.stem}", *said[-lines:]]
        return "\n".join(parts)

    # -- services ----------------------------------------------------------------------------------------------

    def break_valkey(self) -> None:
        """kill -9; it comes back empty, as it keeps nothing on disk."""
        assert self.services.valkey
        assert self.services.valkey.process
        self.services.valkey.process.kill()
        self.services.valkey.process.wait(10)

    def break_postgres(self) -> None:
        """An immediate shutdown: no checkpoint, sessions cut; the next start recovers from the log."""
        assert self.services.postgres
        assert self.services.postgres.process
        self.services.postgres.process.send_signal(signal.SIGQUIT)
        self.services.postgres.process.wait(30)

    # -- life --------------------------------------------------------------------------------------------------

    def arrange(
        self, *, cameras: int = 3, live: int = 1, kinds: tuple[str, ...] = ("raised", "updated")
    ) -> None:
        """A bureau whose every picture has a hit: cameras seen every 5 s and live ones, and one subscription."""
        from apps.accounts.permissions import SYSTEM
        from apps.openapi.services import create_subscription, register_app
        from apps.strategies.services.ensure_default import ensure_default_strategy
        from tests.support.city import City
        from tests.support.street import ALGORITHM, street_clip, street_package

        self.cameras.add_live("/street.ts", street_clip(self.folder))
        city = self.city = City(self, "市局")  # type: ignore[arg-type]
        ensure_default_strategy(city.home, window_s=EVERY)
        kind = city.event_type("030101", "有车出现", review_policy="direct")
        version = city.package(street_package(self.folder), {ALGORITHM: kind})[ALGORITHM]
        app = register_app(by=SYSTEM, organisation=city.home, name="值班")
        create_subscription(by=SYSTEM, app=app, name="hook", endpoint=self.receiver.url, kinds=kinds)
        seen = [city.camera(f"抓图 {number}", self.cameras.url("/street.ts")) for number in range(cameras)]
        held = [city.camera(f"实时 {number}", self.cameras.url("/street.ts")) for number in range(live)]
        self.looked_at = [
            ("抓图", seen, [version], {"sampling": "snapshot", "interval": EVERY}),
            ("实时", held, [version], {"sampling": "keyframes", "interval": 2.0}),
        ]
        self.look()

    def look(self) -> None:
        """Start the tasks of what was arranged; also again, after `settle` has stopped them."""
        self.tasks = [
            self.city.task(name, cameras, versions, **how)
            for name, cameras, versions, how in self.looked_at
            if cameras
        ]

    def settle(self, seconds: float = 150.0) -> None:
        """Stop the tasks and wait until nothing is under way; messages that wait for a retry go now."""
        from apps.analysis.models import CaptureSlot
        from apps.core import clock
        from apps.core.models import OutboxMessage
        from apps.openapi.models import Delivery
        from apps.strategies.models import PendingRun
        from workers.writer.results import waiting

        self.until(lambda: [self.city.stop(task) for task in self.tasks] or True, 60, "the tasks to stop")
        self.tasks = []

        def is_empty() -> bool:
            Delivery.objects.filter(state="retrying", due_at__gt=clock.now(), lease_until=None).update(
                due_at=clock.now()
            )
            unfinished = CaptureSlot.objects.exclude(state="not_captured", open=0).exclude(
                state="captured", open=0
            )
            late = unfinished.filter(planned_at__lte=clock.now())
            return not (
                late.exists()
                or PendingRun.objects.exists()
                or OutboxMessage.objects.filter(due_at__lte=clock.now()).exists()
                or Delivery.objects.filter(state__in=["queued", "retrying"]).exists()
                or waiting()
            )

        self.until(is_empty, seconds, "the road to be empty")
        self.sleep(3.0)  # a held stream is let go of at the holder's next round
        self.until(is_empty, seconds, "the road to be empty")

    def verdict(self, settled: bool = True) -> Any:
        """The checker's."""
        from tests.support.checker import check

        if settled:
            self.settle()
        return check(
            visits=list(self.receiver.visits), acknowledged=set(self.receiver.acknowledged), settled=settled
        )


@contextlib.contextmanager
def here(urls: dict[str, str], folder: Path) -> Iterator[None]:
    """This process works on these services too: Django's connection, wakes and tasks; tables are made."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.test")
    os.environ.setdefault("VANTAGE_TEST_DATA", str(folder / "data"))
    from django.apps import apps
    from django.conf import settings

    if not settings.configured and not apps.ready:
        os.environ.update(urls)
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from portal.settings.environment import database
    from tests.support.road import served_here

    before = dict(connection.settings_dict)
    connection.close()
    for name, value in database(urls["DATABASE_URL"]).items():
        if name in {"NAME", "USER", "PASSWORD", "HOST", "PORT"}:
            connection.settings_dict[name] = value
    try:
        call_command("migrate", verbosity=0)
        with served_here(urls["REDIS_URL"]):
            yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def stop_group(pid: int) -> None:
    """SIGSTOP the whole group: nothing of it runs, its sockets stay open."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGSTOP)


def continue_group(pid: int) -> None:
    """Let it run again."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGCONT)
