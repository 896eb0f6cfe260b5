"""`./vantage up`: the Procfile's processes on the site's own PostgreSQL and Redis, as production."""

import argparse
import os
from pathlib import Path

import psycopg
import redis

from portal.launcher import frontend, readiness
from portal.launcher.command import manage
from portal.launcher.console import say
from portal.launcher.errors import LauncherError
from portal.launcher.folders import DataLock
from portal.launcher.layout import ROOT, data_folder, process_environment, remember_environment
from portal.launcher.ports import require_free
from portal.launcher.procfile import read_procfile
from portal.launcher.remains import end_recorded
from portal.launcher.signals import StopRequest
from portal.launcher.supervisor import Supervisor

SETTINGS = "portal.settings.production"
REQUIRED = {
    "DATABASE_URL": "postgresql://user:password@host/vantage (PostgreSQL ≥ 15)",
    "REDIS_URL": "redis://:password@host:6379/0 (Redis or Valkey ≥ 7)",
    "VANTAGE_SECRET_KEY": "50 or more random characters: "
    '`python3 -c "import secrets; print(secrets.token_urlsafe(64))"`',
    "VANTAGE_KEY_FILE": "the key file for secrets at rest, mode 0600",
}
READY_SECONDS = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--host", default="127.0.0.1", help="address of the web (default 127.0.0.1, behind a proxy)"
    )
    parser.add_argument("--port", type=int, default=8000, help="port of the web (default 8000)")
    parser.add_argument("--migrate", action="store_true", help="apply migrations first")
    parser.add_argument("--data", type=Path, help="data folder (default: .vantage in the checkout)")


def run(options: argparse.Namespace) -> int:
    """Check, start, keep running until a signal. LauncherError where production must not start."""
    stop = StopRequest()
    require_settings()
    refuse_embedded(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    data = data_folder(options.data)
    with DataLock(data):
        end_recorded(data / "processes.json")
        require_free(options.port, options.host)
        frontend.ensure_built(ROOT, data, say)
        environment = {
            **process_environment(data, {}, SETTINGS),
            "VANTAGE_HOST": options.host,
            "VANTAGE_PORT": str(options.port),
        }
        manage(["check"], environment=environment, say=say, purpose="production's settings")
        if options.migrate:
            manage(["migrate", "--no-input"], environment=environment, say=say, purpose="migrating")
        else:
            require_migrated(environment)
        remember_environment(data, environment)
        return supervise(
            Supervisor(read_procfile(ROOT / "Procfile"), data=data, environment=environment, say=say), stop
        )


def supervise(supervisor: Supervisor, stop: StopRequest) -> int:
    """Run the processes until a signal; 0 after a clean end."""
    stop.settle()

    def pause(seconds: float) -> bool:
        is_over = stop.wait(seconds)
        supervisor.tend()
        return is_over

    host, port = supervisor.environment["VANTAGE_HOST"], int(supervisor.environment["VANTAGE_PORT"])
    supervisor.start()
    try:
        asked = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
        if readiness.wait_for(lambda: readiness.answers_ok(port, host=asked), READY_SECONDS, pause):
            say(f"ready http://{host}:{port}")
        elif not stop.event.is_set():
            raise LauncherError(
                f"the web did not answer within {READY_SECONDS:.0f} s; see {supervisor.data / 'logs'}"
            )
        while not stop.event.is_set():
            pause(0.2)
        return 0
    finally:
        supervisor.stop()
        say("stopped")


def require_settings() -> None:
    """LauncherError that names every variable that is missing."""
    missing = [f"  {name}={meaning}" for name, meaning in REQUIRED.items() if not os.environ.get(name)]
    if missing:
        raise LauncherError("production needs in its environment:\n" + "\n".join(missing))


def require_migrated(environment: dict[str, str]) -> None:
    """LauncherError where the database lacks migrations."""
    try:
        manage(
            ["migrate", "--check"],
            environment=environment,
            say=lambda line: None,
            purpose="the migration check",
        )
    except LauncherError as error:
        raise LauncherError(
            f"{error}\nApply migrations in a maintenance window: ./vantage up --migrate"
        ) from None


def refuse_embedded(database_url: str, redis_url: str) -> None:
    """LauncherError where either address is that of an embedded service: those are for demo and tests."""
    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            row = connection.execute("SELECT current_setting('vantage.embedded', true)").fetchone()
    except psycopg.Error as error:
        raise LauncherError(f"DATABASE_URL cannot be reached: {error}") from None
    if row and row[0]:
        raise LauncherError(
            "DATABASE_URL is an embedded PostgreSQL, made for demo and tests; use a real server"
        )
    try:
        with redis.Redis.from_url(redis_url, socket_timeout=5) as client:
            client.ping()
            found = client.config_get("proc-title-template")
    except redis.ResponseError:
        return  # a managed server that hides its configuration is not ours
    except redis.RedisError as error:
        raise LauncherError(f"REDIS_URL cannot be reached: {error}") from None
    if "vantage-embedded" in str(found):
        raise LauncherError("REDIS_URL is an embedded Valkey, made for demo and tests; use a real server")
