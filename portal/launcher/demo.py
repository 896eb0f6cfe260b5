"""`./vantage demo`: the demo city on this machine, from nothing to the first event, until Ctrl-C."""

import argparse
import math
import os
import shutil
import time
from pathlib import Path

from portal.launcher import frontend, readiness, steady
from portal.launcher.accounts import account_lines, read_accounts
from portal.launcher.command import manage
from portal.launcher.console import say
from portal.launcher.errors import LauncherError
from portal.launcher.firstevent import FirstEvent
from portal.launcher.folders import private_folder
from portal.launcher.layout import MARK, ROOT, data_folder, process_environment, remember_environment
from portal.launcher.ports import free_port, require_free
from portal.launcher.postgres_home import remove_home
from portal.launcher.procfile import read_procfile
from portal.launcher.remains import end_recorded
from portal.launcher.services import Services
from portal.launcher.signals import StopRequest
from portal.launcher.supervisor import Supervisor

READY_SECONDS = 120.0
HEAD_START_SECONDS = 15.0
FIRST_EVENT_SECONDS = 60.0
SETTINGS = "portal.settings.demo"
KEPT_ON_FRESH = {MARK, "launcher.lock", "venv", "cache", "test"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--port", type=int, default=8000, help="port of the web on 127.0.0.1 (default 8000)")
    parser.add_argument("--media", type=Path, help="folder of real clips and models, to become cameras too")
    parser.add_argument("--fresh", action="store_true", help="forget the demo city of the last run first")
    parser.add_argument("--seconds", type=float, help="stop by itself that long after `ready`, with status 0")
    parser.add_argument("--data", type=Path, help="data folder (default: .vantage in the checkout)")


def run(options: argparse.Namespace) -> int:
    """Prepare, start, watch, stop. LauncherError where something is in the way."""
    stop = StopRequest()
    refuse_production()
    data = data_folder(options.data)
    media = options.media.resolve() if options.media else None
    if media and not media.is_dir():
        raise LauncherError(f"--media {media} is not a folder")
    services = Services(data)
    services.lock.acquire()
    try:
        end_recorded(data / "processes.json")
        require_free(options.port)
        if options.fresh:
            forget(data, services)
        frontend.ensure_built(ROOT, data, say)
        say("services: starting PostgreSQL and Valkey")
        services.start()
        environment = demo_environment(data, services, options.port, media)
        remember_environment(data, environment)
        arguments = ["prepare_demo", *(["--media", str(media)] if media else [])]
        manage(arguments, environment=environment, say=say, purpose="preparing the demo city")
        specs = read_procfile(ROOT / "Procfile.demo")
        supervisor = Supervisor(specs, data=data, environment=environment, say=say)
        return watch(supervisor, services, stop, options, data)
    except KeyboardInterrupt:
        say("stopped")
        return 130
    finally:
        services.stop()


def refuse_production() -> None:
    """LauncherError where this machine says that it is production: the demo's accounts and keys are no secret."""
    if os.environ.get("ENV") == "production":
        raise LauncherError("ENV=production is set: the demo does not start here; see `./vantage up`")


def forget(data: Path, services: Services) -> None:
    """Remove all that earlier demos left in the data folder; refuses a folder that had other things in it."""
    if not (data / MARK).exists():
        raise LauncherError(f"{data} was not empty when Vantage first used it; --fresh removed nothing")
    say(f"fresh: emptying {data}")
    if services.postgres:
        services.postgres.remove()
    remove_home(data)
    for entry in data.iterdir():
        if entry.name in KEPT_ON_FRESH:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def demo_environment(data: Path, services: Services, port: int, media: Path | None) -> dict[str, str]:
    """What the demo's processes share: addresses, the loopback port of its cameras, clip folders."""
    streamer = free_port(services.ports.get("streamer"))
    services.ports["streamer"] = streamer
    services.write_ports()
    clips = private_folder(data / "cache" / "clips")
    return {
        **process_environment(data, services.urls(), SETTINGS),
        "VANTAGE_PORT": str(port),
        "VANTAGE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "VANTAGE_CLIPS": str(clips),
        "VANTAGE_STREAMER_PORT": str(streamer),
        "VANTAGE_OUTBOUND_EXACT": f"127.0.0.1:{streamer}",
        "VANTAGE_MEDIA_ROOTS": ",".join(str(path) for path in (clips, media) if path),
    }


def watch(
    supervisor: Supervisor, services: Services, stop: StopRequest, options: argparse.Namespace, data: Path
) -> int:
    """Start the processes and stay until the time is over or a signal comes."""
    stop.settle()
    if stop.event.is_set():
        return 130
    watcher = Watch(supervisor, services, stop)
    first = FirstEvent(services.urls()["DATABASE_URL"])
    say(f"processes: starting {len(supervisor.managed)}")
    supervisor.start(first="web", head_start=HEAD_START_SECONDS)
    try:
        if not readiness.wait_for(lambda: readiness.answers_ok(options.port), READY_SECONDS, watcher.pause):
            if stop.event.is_set():
                return 130
            raise LauncherError(f"the web did not answer within {READY_SECONDS:.0f} s; see {data / 'logs'}")
        supervisor.release()
        say(f"ready http://127.0.0.1:{options.port}")
        first.ready = time.time()
        watcher.end_after(options.seconds)
        show_accounts(data)
        came = report_first_event(first, options.port, watcher, FIRST_EVENT_SECONDS)
        report_steady_state(supervisor, services, watcher)
        if not came:
            report_first_event(first, options.port, watcher, math.inf)
        while not watcher.pause(1.0):
            continue
        return 0 if watcher.is_over() or not stop.event.is_set() else 130
    finally:
        supervisor.stop()
        say("stopped")


class Watch:
    """Waiting while everything is tended: processes, services, and the clock of `--seconds`."""

    def __init__(self, supervisor: Supervisor, services: Services, stop: StopRequest) -> None:
        self.supervisor = supervisor
        self.services = services
        self.stop = stop
        self.deadline: float | None = None

    def end_after(self, seconds: float | None) -> None:
        """From now, stop after that many seconds; None for never."""
        self.deadline = None if seconds is None else time.monotonic() + seconds

    def is_over(self) -> bool:
        """True when the time of `--seconds` is over."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def pause(self, seconds: float) -> bool:
        """Tend for that long; True where it is time to stop."""
        until = time.monotonic() + seconds
        while True:
            if self.stop.wait(min(0.2, max(0.0, until - time.monotonic()))) or self.is_over():
                return True
            self.supervisor.tend()
            for name in self.services.revive():
                say(f"{name} had ended and was started again")
            if time.monotonic() >= until:
                return False


def show_accounts(data: Path) -> None:
    """Print the accounts with their one-time passwords."""
    path = data / "demo-accounts.json"
    lines = list(account_lines(read_accounts(path)))
    if lines:
        say(f"accounts (also in {path}):")
        for line in lines:
            say(line)


def report_first_event(first: FirstEvent, port: int, watcher: Watch, seconds: float) -> bool:
    """Print the line `first event …`; where it does not come in that time say so. True where it came."""
    began = time.monotonic()
    while (found := first.find()) is None:
        if time.monotonic() - began > seconds:
            say(f"no event within {seconds:.0f} s yet; the operations page shows where it waits")
            return False
        if watcher.pause(0.5):
            return False
    say(
        f"first event after {max(0.0, time.time() - first.ready):.1f} s: http://127.0.0.1:{port}/events/{found}/"
    )
    return True


def report_steady_state(supervisor: Supervisor, services: Services, watcher: Watch) -> None:
    """Print the cores used once the start is over."""
    if watcher.pause(10.0):
        return

    def pids() -> dict[str, int]:
        return {**supervisor.pids(), **services.pids()}

    if cores := steady.measure(pids, watcher.pause):
        say(steady.summary(cores))
