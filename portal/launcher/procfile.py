"""The list of processes, in honcho's Procfile form: `name: command`."""

from dataclasses import dataclass
from pathlib import Path

from honcho.environ import parse_procfile

from portal.launcher.errors import LauncherError


@dataclass(frozen=True)
class ProcessSpec:
    """One line of a Procfile; the command is for `/bin/sh`."""

    name: str
    command: str


def read_procfile(path: Path) -> list[ProcessSpec]:
    """The processes in the file's order. LauncherError where there are none or two of one name."""
    try:
        parsed = parse_procfile(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LauncherError(f"{path} cannot be read: {error.strerror}") from None
    except AssertionError as error:
        raise LauncherError(f"{path}: {error}") from None
    if not parsed.processes:
        raise LauncherError(f"{path} names no process")
    return [ProcessSpec(name, command) for name, command in parsed.processes.items()]
