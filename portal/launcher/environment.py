"""Makes the Python environment from the lock, then hands over to it.

Run by the `vantage` script with any Python ≥ 3.11 that is at hand, before anything is installed: the standard
library only, no import from this project.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {"runtime": "requirements.txt", "development": "requirements-dev.txt"}
DEVELOPMENT_COMMANDS = {"test", "check", "bench"}
STAMP = ".vantage-locks.json"
HINT = "Debian, Ubuntu: `apt install python3-venv`; or name another Python: VANTAGE_PYTHON=/path/to/python3"


class EnvironmentFailed(Exception):
    """The environment could not be made; the message says why and what to do."""


def say(line: str) -> None:
    """One progress line."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def data_argument(arguments: list[str]) -> Path:
    """The data folder the command will use: --data, VANTAGE_DATA, or `.vantage` in the checkout."""
    for position, argument in enumerate(arguments):
        if argument == "--data" and position + 1 < len(arguments):
            return Path(arguments[position + 1]).absolute()
        if argument.startswith("--data="):
            return Path(argument.removeprefix("--data=")).absolute()
    return Path(os.environ.get("VANTAGE_DATA") or ROOT / ".vantage").absolute()


def choose_folder(arguments: list[str]) -> Path:
    """Where the environment goes: VANTAGE_VENV, the checkout, or the data folder where that is read-only."""
    if given := os.environ.get("VANTAGE_VENV"):
        return Path(given).absolute()
    if (ROOT / ".venv").is_dir() and not needs_change(ROOT / ".venv", kind_for(arguments)):
        return ROOT / ".venv"
    if os.access(ROOT, os.W_OK) and (not (ROOT / ".venv").exists() or os.access(ROOT / ".venv", os.W_OK)):
        return ROOT / ".venv"
    data = data_argument(arguments)
    if data.is_relative_to(ROOT):
        raise EnvironmentFailed(f"{ROOT} is read-only for this user; give a folder to write to: --data DIR")
    return data / "venv"


def kind_for(arguments: list[str]) -> str:
    """Which lock the command needs."""
    return "development" if arguments and arguments[0] in DEVELOPMENT_COMMANDS else "runtime"


def lock_hash(kind: str) -> str:
    """SHA-256 of a lock; a change of it means a new install."""
    return hashlib.sha256((ROOT / LOCKS[kind]).read_bytes()).hexdigest()


def read_stamp(folder: Path) -> dict[str, str]:
    """What was installed last; empty where that is unknown."""
    try:
        found = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def needs_change(folder: Path, kind: str) -> bool:
    """True where the environment is missing, broken, or made from another lock."""
    return read_stamp(folder).get(kind) != lock_hash(kind) or not works(folder / "bin" / "python")


def works(python: Path) -> bool:
    """True where that interpreter starts and has a version we support."""
    if not python.exists():
        return False
    test = "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))"
    return subprocess.run([python, "-I", "-c", test], capture_output=True, check=False).returncode == 0


def tool_environment() -> dict[str, str]:
    """The caller's environment without what would send pip elsewhere; nothing is written under HOME."""
    dropped = {"PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    kept.setdefault("PIP_NO_CACHE_DIR", "0" if "PIP_CACHE_DIR" in kept else "1")
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def make_folder(folder: Path) -> None:
    """An empty environment, with pip where this Python brings it."""
    say(f"environment: making {folder} with Python {sys.version.split()[0]}")
    with_pip = has_module("ensurepip")
    command = [sys.executable, "-I", "-m", "venv", "--clear", str(folder)]
    if not with_pip:
        command.insert(-1, "--without-pip")
    made = subprocess.run(command, env=tool_environment(), capture_output=True, text=True, check=False)
    if made.returncode or not works(folder / "bin" / "python"):
        raise EnvironmentFailed(
            f"this Python cannot make an environment.\n  {HINT}\n{made.stdout}{made.stderr}"
        )


def has_module(name: str) -> bool:
    """True where this interpreter can import the module."""
    command = [sys.executable, "-I", "-c", f"import {name}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def installer(folder: Path) -> list[str]:
    """The pip that installs into the environment: its own, this Python's, or uv."""
    python = folder / "bin" / "python"
    if subprocess.run([python, "-I", "-c", "import pip"], capture_output=True, check=False).returncode == 0:
        return [str(python), "-I", "-m", "pip", "install", "--progress-bar", "off"]
    if has_module("pip"):
        return [
            sys.executable,
            "-I",
            "-m",
            "pip",
            "--python",
            str(python),
            "install",
            "--progress-bar",
            "off",
        ]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", str(python)]
    raise EnvironmentFailed(f"this Python ({sys.executable}) has neither ensurepip nor pip.\n  {HINT}")


def install(folder: Path, kind: str) -> None:
    """Install exactly what the lock names, checked by hash."""
    lock = ROOT / LOCKS[kind]
    total = sum(1 for line in lock.read_text(encoding="utf-8").splitlines() if line[:1].isalnum())
    say(f"environment: installing {total} packages of {lock.name} (the first time takes some minutes)")
    command = [*installer(folder), "--require-hashes", "-r", str(lock)]
    with subprocess.Popen(
        command,
        env=tool_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        last = report_progress(process.stdout, total) if process.stdout else []
    if process.returncode:
        raise EnvironmentFailed(
            "installing failed; the last lines were:\n  "
            + "\n  ".join(last)
            + "\n  It needs a package registry; a mirror is set as always for pip (PIP_INDEX_URL, pip.conf)."
        )


def report_progress(lines: IO[str], total: int) -> list[str]:
    """Print a line every ten packages; returns the last lines for an error message."""
    collected = 0
    last: list[str] = []
    for line in lines:
        last = [*last[-14:], line.rstrip()]
        if line.startswith("Collecting "):
            collected += 1
            if collected % 10 == 0:
                name = line.split()[1].partition("==")[0]
                say(f"environment: {collected} of {total} packages fetched ({name})")
        elif line.startswith("Installing collected packages"):
            say("environment: unpacking")
    return last


def ensure(folder: Path, kind: str) -> None:
    """Bring the environment in step with the lock; two launchers at once wait for each other."""
    if not needs_change(folder, kind):
        return
    folder.mkdir(parents=True, exist_ok=True)
    guard = os.open(
        folder, os.O_RDONLY
    )  # the folder itself is the lock: making the environment only empties it
    try:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not needs_change(folder, kind):
            return
        if not works(folder / "bin" / "python"):
            make_folder(folder)
        (folder / STAMP).unlink(missing_ok=True)
        install(folder, kind)
        stamp = {"runtime": lock_hash("runtime"), kind: lock_hash(kind)}
        (folder / STAMP).write_text(json.dumps(stamp) + "\n", encoding="utf-8")
        say("environment: ready")
    finally:
        os.close(guard)


def hand_over(folder: Path, arguments: list[str]) -> None:
    """Become the environment's Python with the command; never returns."""
    python = str(folder / "bin" / "python")
    environment = dict(os.environ)
    environment.pop("PYTHONHOME", None)
    environment["PYTHONPATH"] = str(ROOT)
    environment["ORT_DISABLE_TELEMETRY"] = "1"  # ONNX Runtime would report to its vendor
    os.execve(python, [python, "-m", "portal.launcher", *arguments], environment)  # noqa: S606


def main(arguments: list[str]) -> int:
    """Make the environment and hand over; 1 with a message where that fails."""
    try:
        folder = choose_folder(arguments)
        ensure(folder, kind_for(arguments))
    except EnvironmentFailed as error:
        say(f"vantage: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    hand_over(folder, arguments)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
