"""What a step of `./vantage check` is, and the commonest kind: a program that must end with 0."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from portal.launcher.layout import ROOT, process_environment


@dataclass(frozen=True)
class Outcome:
    """`detail` is the program's output, or why it was skipped; `mend` the line that mends it."""

    state: Literal["ok", "skipped", "failed"]
    detail: str = ""
    mend: str = ""


@dataclass(frozen=True)
class Step:
    """One named check."""

    name: str
    purpose: str
    run: Callable[[], Outcome]


def run_program(
    command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path = ROOT
) -> tuple[int, str]:
    """Exit status and output of a program of our environment."""
    try:
        finished = subprocess.run(
            command,
            cwd=folder,
            env=dict(environment) if environment is not None else step_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        return 127, f"{command[0]} is not in the environment {sys.prefix}; it belongs to requirements-dev.txt"
    return finished.returncode, finished.stdout.strip()


def step_environment() -> dict[str, str]:
    """Development settings; nothing is read from or written to the data folder's services."""
    environment = process_environment(ROOT / ".vantage", {}, "portal.settings.dev")
    return {**environment, "NO_COLOR": "1"}


def program(command: Sequence[str], *, mend: str = "", needs: str = "") -> Callable[[], Outcome]:
    """A step that runs one program; skipped where the path `needs` is not there yet."""

    def run() -> Outcome:
        if needs and not (ROOT / needs).exists():
            return Outcome("skipped", f"no {needs} here")
        status, output = run_program([str(Path(sys.executable).parent / command[0]), *command[1:]])
        return Outcome("ok", output) if status == 0 else Outcome("failed", output, mend)

    return run
