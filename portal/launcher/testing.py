"""`./vantage test`: the whole suite, or what the arguments name, on embedded services that forget."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from portal.launcher import frontend
from portal.launcher.console import complain
from portal.launcher.errors import LauncherError
from portal.launcher.folders import private_folder
from portal.launcher.layout import ROOT, process_environment
from portal.launcher.managed import is_in_use
from portal.launcher.services import Services

SETTINGS = "portal.settings.test"
RUNS_AT_ONCE = 8
FAULTS = ("-m", "", "tests/faults", "tests/attacks")  # an empty -m takes the slow ones in again


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All arguments but one go to pytest."""
    parser.add_argument("--no-build", action="store_true", help="do not build the front end first")
    parser.add_argument(
        "--faults",
        action="store_true",
        help="only the tests of promises, the slow ones too: tests/faults, tests/attacks",
    )


def run(options: argparse.Namespace) -> int:
    """Run pytest; its exit status is ours."""
    arguments = [*options.pytest, *(FAULTS if options.faults else [])]
    with tempfile.TemporaryDirectory(prefix="vantage-test-") as own:
        folder = service_folder(Path(own))
        if not options.no_build:
            frontend.ensure_built(ROOT, folder, complain)
        with Services(folder, throwaway=True) as services:
            environment = process_environment(Path(own), services.urls(), SETTINGS)
            environment["VANTAGE_TEST_DATA"] = own
            return pytest(arguments, environment)


def service_folder(own: Path) -> Path:
    """A folder for the services: kept between runs (a second run starts faster), one per run at a time."""
    if not os.access(ROOT, os.W_OK):
        return own
    base = private_folder(ROOT / ".vantage") / "test"
    for number in range(1, RUNS_AT_ONCE + 1):
        folder = private_folder(base / str(number))
        services = Services(folder)
        if not is_in_use(services.lock):
            return folder
    raise LauncherError(f"{RUNS_AT_ONCE} test runs are going on in {base}; wait for one to end")


def pytest(arguments: list[str], environment: dict[str, str]) -> int:
    """pytest in the terminal's process group: Ctrl-C is its own to handle, we wait for its summary."""
    command = [sys.executable, "-m", "pytest", *arguments]
    with subprocess.Popen(command, env=environment, cwd=ROOT) as process:
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, frame: process.terminate())
        try:
            return process.wait()
        finally:
            signal.signal(signal.SIGINT, previous)
