"""pg_dump and pg_restore: those that come with the embedded server, or newer ones of the machine."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.db import connection
from psycopg.conninfo import make_conninfo

from portal.backup.errors import BackupError
from portal.launcher.errors import LauncherError
from portal.launcher.postgres_home import package_folder, programs_in

RESTORE = ("--no-owner", "--no-privileges", "--no-comments")
RUN = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-")
NEWER_SETTINGS = frozenset({b"SET transaction_timeout = 0;\n"})  # PostgreSQL 17; we support 15
HEAD_LINES = 40
#: Not --single-transaction: that commits whatever came before the end of its input, also where we were killed.
BEGIN, COMMIT = b"BEGIN;\n", b"\nCOMMIT;\n"


def run_program(name: str, arguments: Sequence[str], *, server: int) -> str:
    """Run one of PostgreSQL's programs on Django's database; returns what it said.

    `server` is the server's version number (180006). The password goes by the environment: arguments can be read
    by everybody on the machine. BackupError with the program's own words where it fails.
    """
    conninfo, environment = _address()
    return _finished(
        name, [str(find(name, server)), f"--dbname={conninfo}", "--no-password", *arguments], environment
    )


def restore_dump(dump: Path, wanted: Path, *, first: str, server: int) -> None:
    """Run the SQL `first`, then what `wanted` lists of the dump, on Django's database and in one transaction.

    BackupError where it fails; then everything is as it was.

    pg_restore writes it as SQL and psql runs it, so that a setting which only newer servers know can be left out.
    """
    conninfo, environment = _address()
    written = [str(find("pg_restore", server)), "--file=-", f"--use-list={wanted}", *RESTORE, str(dump)]
    run = [str(find("psql", server)), f"--dbname={conninfo}", "--no-password", *RUN]
    with tempfile.TemporaryFile() as said:
        with (
            subprocess.Popen(written, stdout=subprocess.PIPE, stderr=said) as source,
            subprocess.Popen(
                run, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
            ) as target,
        ):
            assert source.stdout is not None
            assert target.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                target.stdin.write(BEGIN + first.encode())
                for _ in range(HEAD_LINES):
                    line = source.stdout.readline()
                    target.stdin.write(b"" if line in NEWER_SETTINGS else line)
                shutil.copyfileobj(source.stdout, target.stdin)
                if not source.wait():
                    target.stdin.write(COMMIT)
            with contextlib.suppress(BrokenPipeError):
                target.stdin.close()
            source.stdout.close()
        if source.returncode or target.returncode:
            said.seek(0)
            words = said.read().decode(errors="replace").strip()[-2000:]
            raise BackupError(f"the database was not restored and is as it was:\n{words}")


def contents(dump: Path, *, server: int) -> list[str]:
    """The lines of a dump's table of contents; pg_restore takes such a list and restores what it names."""
    return _finished("pg_restore", [str(find("pg_restore", server)), "--list", str(dump)], {}).splitlines()


def _finished(name: str, command: Sequence[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise BackupError(f"{name} failed (status {done.returncode}):\n{done.stderr.strip()[-2000:]}")
    return done.stdout


def find(name: str, server: int) -> Path:
    """The program, of the server's version or newer. BackupError where there is none."""
    seen = []
    for path in _candidates(name):
        version = _major(path)
        if version is not None and version >= server // 10000:
            return path
        seen.append(f"{path} ({version or 'does not start'})")
    raise BackupError(
        f"no {name} for PostgreSQL {server // 10000} was found ({', '.join(seen) or 'none at all'}); "
        f"install the client programs of that version (Debian: apt install postgresql-client)"
    )


def _candidates(name: str) -> Iterator[Path]:
    with contextlib.suppress(LauncherError):
        yield programs_in(package_folder()[0]) / name
    if found := shutil.which(name):
        yield Path(found)


def _major(path: Path) -> int | None:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    found = re.search(r"\) (\d+)", said)
    return int(found.group(1)) if found else None


def _address() -> tuple[str, dict[str, str]]:
    """(conninfo without the password, the environment with it) for Django's default database."""
    given = connection.settings_dict
    options = {key: value for key, value in given["OPTIONS"].items() if isinstance(value, str)}
    named = {"host": given["HOST"], "port": given["PORT"], "user": given["USER"], "dbname": given["NAME"]}
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C",
        "PGPASSWORD": str(given["PASSWORD"] or options.pop("password", "")),
        "PGCONNECT_TIMEOUT": "10",
    }
    return make_conninfo(**{key: value for key, value in {**options, **named}.items() if value}), environment
