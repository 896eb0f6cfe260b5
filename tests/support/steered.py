"""A program of the tests in a process of its own, steered by lines on its pipes: `report` is answered in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]


class Steered:
    """`python -m MODULE ARGUMENTS…` from `__enter__` to `__exit__`, which kills it."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = [sys.executable, "-m", module, *arguments]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()  # closes the pipes

    def report(self) -> dict[str, Any]:
        """What it has measured since `reset`."""
        self.say("report")
        found: dict[str, Any] = self.read()
        return found

    def reset(self) -> None:
        """Begin to measure anew."""
        self.say("reset")

    def say(self, line: str) -> None:
        """One line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def read(self) -> Any:
        """The next line from it."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())
