"""The embedded PostgreSQL: initdb and postgres run by ourselves, stopped with us.

Password by SCRAM, loopback and a private socket only, data folder 0700. A server left behind by a `kill -9`
of the last run is stopped before the next starts; callers hold the folder's `DataLock`, so none is in use.
"""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from portal.launcher import lifeline, proc
from portal.launcher.errors import LauncherError
from portal.launcher.folders import ensure_secret, private_folder, read_secret
from portal.launcher.ports import free_port
from portal.launcher.postgres_home import PostgresHome, find_home, make_owned, remove_home

ROLE = "vantage"
READY_SECONDS = 60.0
DURABLE = {
    "shared_buffers": "64MB",
    "max_connections": "150",
    "wal_compression": "on",
    "min_wal_size": "80MB",
}
THROWAWAY = {**DURABLE, "fsync": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One server on one data folder. `throwaway`: rows survive its end, not the machine's; tests only."""

    def __init__(self, data: Path, *, throwaway: bool = False) -> None:
        self.data = data
        self.throwaway = throwaway
        self.secret = data / "secrets" / "postgres"
        self.log = data / "logs" / "postgres.log"
        self.port = 0
        self.home: PostgresHome | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, preferred_port: int | None = None) -> None:
        """Make the cluster where it is missing, start the server, make the database.

        LauncherError carries the end of the log.
        """
        self.home = home = find_home(self.data)
        private_folder(self.log.parent)
        stop_leftover(home.data)
        if (home.data / "PG_VERSION").exists() and read_secret(self.secret) is None:
            self._move_aside(home)
        password = ensure_secret(self.secret)
        if not (home.data / "PG_VERSION").exists():
            self._initialise(home, password)
        for attempt in range(3):
            self.port = free_port(preferred_port if attempt == 0 else None)
            if self._launch(home):
                break
            time.sleep(attempt)  # a killed server's backends need a moment to notice
        else:
            raise LauncherError(f"PostgreSQL did not start; its log {self.log} ends with:\n{tail(self.log)}")
        self._ensure_database()

    def url(self, database: str = ROLE) -> str:
        """The connection URL, with the password."""
        return f"postgresql://{ROLE}:{quote(ensure_secret(self.secret))}@127.0.0.1:{self.port}/{database}"

    def is_running(self) -> bool:
        """True while our server process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop the server: fast, then immediate, then killed."""
        if self.process is not None:
            lifeline.stop(self.process, [(signal.SIGINT, 8), (signal.SIGQUIT, 3)])
            self.process = None
            if self.home is not None:
                with contextlib.suppress(OSError):  # made again at the next start
                    self.home.sockets.rmdir()

    def remove(self) -> None:
        """Stop the server and remove its data and password."""
        self.stop()
        if self.home is not None:
            stop_leftover(self.home.data)
        remove_home(self.data)
        self.secret.unlink(missing_ok=True)

    def _move_aside(self, home: PostgresHome) -> None:
        # The password went with a removed data folder. The rows are not ours to delete: keep them beside.
        home.data.rename(home.data.with_name(f"postgres.old-{int(time.time())}"))

    def _initialise(self, home: PostgresHome, password: str) -> None:
        make_owned(home.data, home)
        password_file = home.sockets / "password"
        password_file.touch(mode=0o600)
        if home.user is not None and home.group is not None:
            os.chown(password_file, home.user, home.group)
        try:
            password_file.write_text(password, encoding="utf-8")
            for locale in (
                "C.UTF-8",
                "C",
            ):  # a machine without C.UTF-8 still gets UTF-8 by the builtin provider
                finished = self._run_initdb(home, password_file, locale)
                if finished.returncode == 0:
                    return
        finally:
            password_file.unlink(missing_ok=True)
        raise LauncherError(
            f"initdb failed in {home.data}:\n{finished.stdout.decode(errors='replace')[-2000:]}"
        )

    def _run_initdb(
        self, home: PostgresHome, password_file: Path, locale: str
    ) -> subprocess.CompletedProcess[bytes]:
        command: list[str | Path] = [
            home.programs / "initdb",
            "-D",
            home.data,
            "-U",
            ROLE,
            f"--pwfile={password_file}",
        ]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", f"--locale={locale}", "--no-instructions"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync"]
        return subprocess.run(
            command,
            env=environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            user=home.user,
            group=home.group,
            extra_groups=[] if home.user is not None else None,
            check=False,
        )

    def _launch(self, home: PostgresHome) -> bool:
        settings = {
            **(THROWAWAY if self.throwaway else DURABLE),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(home.sockets),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "vantage.embedded": "on",  # production asks, and refuses
            "log_line_prefix": "%m [%p] ",
        }
        command: list[str | Path] = [home.programs / "postgres", "-D", home.data, "-p", str(self.port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self.process = lifeline.spawn(
                command,
                environment=environment(),
                output=log,
                folder=Path("/"),
                death_signal=signal.SIGINT,
                user=home.user,
                group=home.group,
            )
        return self._wait_until_ready(home.data, self.process)

    def _wait_until_ready(self, data: Path, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                return False
            lines = read_pid_file(data)
            if len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                return True
            time.sleep(0.02)
        self.stop()
        return False

    def _ensure_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=10) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [ROLE]).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(ROLE)))


def environment() -> dict[str, str]:
    """A bare environment: nothing of the caller's PG* or locale settings reaches the server."""
    return {"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC"}


def tail(path: Path, characters: int = 1500) -> str:
    """The end of a log."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")[-characters:]
    except OSError:
        return "(no log)"


def read_pid_file(data: Path) -> list[str]:
    """The lines of postmaster.pid, none where it is not there: pid, data folder, start time, port … state."""
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def leftover_pid(data: Path) -> int | None:
    """The living server that postmaster.pid names, if it is one of this data folder."""
    lines = read_pid_file(data)
    if not lines or not lines[0].isdigit():
        return None
    command = proc.command_line(int(lines[0]))
    is_ours = bool(command) and Path(command[0]).name == "postgres" and str(data) in command
    return int(lines[0]) if is_ours and proc.is_alive(int(lines[0])) else None


def stop_leftover(data: Path) -> None:
    """Stop a server that outlived its launcher; drop a pid file whose number is now something else's.

    A pid file of a dead server stays: it is what keeps PostgreSQL from starting beside old backends.
    """
    pid = leftover_pid(data)
    if pid is None:
        lines = read_pid_file(data)
        if lines and lines[0].isdigit() and proc.is_alive(int(lines[0])):
            (data / "postmaster.pid").unlink(missing_ok=True)
        return
    for number, seconds in ((signal.SIGINT, 8), (signal.SIGQUIT, 3), (signal.SIGKILL, 3)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if lifeline.wait_until_gone(lambda: proc.is_alive(pid), seconds):
            break
    else:
        raise LauncherError(
            f"an old PostgreSQL (process {pid}) on {data} cannot be stopped; end it and start again"
        )
    if leftover_pid(data) is None:
        (data / "postmaster.pid").unlink(missing_ok=True)
