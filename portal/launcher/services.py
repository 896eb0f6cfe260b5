"""Both embedded services of one data folder; those that the environment gives are used instead.

As a command: `python -m portal.launcher.services --data DIR --run -- COMMAND …` runs the command with
DATABASE_URL and REDIS_URL set; `--detach-env FILE` keeps the services until SIGTERM and writes both
exports to FILE (0600).
"""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from portal.launcher import lifeline
from portal.launcher.errors import LauncherError
from portal.launcher.folders import DataLock, private_folder, write_private
from portal.launcher.postgres import EmbeddedPostgres
from portal.launcher.signals import StopRequest
from portal.launcher.valkey import EmbeddedValkey


class Services:
    """PostgreSQL and Valkey for one data folder: started, watched and stopped together.

    `given` is the environment: where it names DATABASE_URL or REDIS_URL, that one is not started.
    """

    def __init__(self, data: Path, *, throwaway: bool = False, given: Mapping[str, str] = os.environ) -> None:
        self.data = data.resolve()
        self.given = given
        self.lock = DataLock(self.data)
        self.ports = self._read_ports()
        self.postgres = (
            None if given.get("DATABASE_URL") else EmbeddedPostgres(self.data, throwaway=throwaway)
        )
        self.valkey = None if given.get("REDIS_URL") else EmbeddedValkey(self.data)

    def start(self) -> None:
        """Start what is not given; on a failure nothing stays behind."""
        self.lock.acquire()
        try:
            for name, service in self._started():
                service.start(self.ports.get(name))
            self.write_ports()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what we started and give the data folder back."""
        if self.valkey:
            self.valkey.stop()
        if self.postgres:
            self.postgres.stop()
        self.lock.release()

    def revive(self) -> list[str]:
        """Start again, on its old port, what has died; returns the names. LauncherError where one fails."""
        revived = []
        for name, service in self._started():
            if not service.is_running():
                service.start(service.port)
                revived.append(name)
        if revived:
            self.write_ports()
        return revived

    def pids(self) -> dict[str, int]:
        """Name → process id of those we run."""
        return {name: service.process.pid for name, service in self._started() if service.process}

    def remove(self) -> None:
        """Stop everything and remove the services' data."""
        if self.postgres:
            self.postgres.remove()
        self.stop()

    def urls(self) -> dict[str, str]:
        """DATABASE_URL and REDIS_URL for the environment of our processes."""
        return {
            "DATABASE_URL": self.postgres.url() if self.postgres else self.given["DATABASE_URL"],
            "REDIS_URL": self.valkey.url() if self.valkey else self.given["REDIS_URL"],
        }

    def __enter__(self) -> "Services":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _read_ports(self) -> dict[str, int]:
        try:
            ports = json.loads((self.data / "services.json").read_text(encoding="utf-8"))
            return {str(name): int(port) for name, port in ports.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}  # only a preference: the next start picks new ones

    def write_ports(self) -> None:
        """Keep the ports: other commands find the services there, and the next start takes the same ones."""
        self.ports.update({name: service.port for name, service in self._started()})
        private_folder(self.data)
        write_private(self.data / "services.json", json.dumps(self.ports) + "\n")

    def _started(self) -> list[tuple[str, EmbeddedPostgres | EmbeddedValkey]]:
        both: tuple[tuple[str, EmbeddedPostgres | EmbeddedValkey | None], ...] = (
            ("valkey", self.valkey),
            ("postgres", self.postgres),
        )
        return [(name, service) for name, service in both if service]


def run_command(services: Services, command: list[str]) -> int:
    """Run one command with the services' addresses; returns its exit status."""
    finished = subprocess.run(
        command,
        env={**os.environ, **services.urls()},
        check=False,
        preexec_fn=lifeline.die_with_parent(signal.SIGTERM),
    )
    return finished.returncode


def keep(services: Services, file: Path, stopping: StopRequest) -> None:
    """Write the exports and keep the services, reviving what dies, until the event is set."""
    private_folder(file.parent)
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in services.urls().items())
    write_private(file, exports)
    while not stopping.wait(1.0):
        for name in services.revive():
            print(f"{name} had ended and was started again", flush=True)  # noqa: T201


def main(arguments: list[str] | None = None) -> int:
    """The command; see the module."""
    parser = argparse.ArgumentParser(prog="portal.launcher.services", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--throwaway", action="store_true", help="without durability: tests only")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--run", action="store_true")
    mode.add_argument("--detach-env", type=Path, metavar="FILE")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    stopping = StopRequest()
    try:
        with Services(options.data, throwaway=options.throwaway) as services:
            if options.run:
                return run_command(services, command)
            stopping.settle()
            keep(services, options.detach_env, stopping)
            return 0
    except KeyboardInterrupt:
        return 130
    except LauncherError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
