"""One line of the doctor's answer."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "optional", "missing"]


@dataclass(frozen=True)
class Finding:
    """`optional`: Vantage runs without it, `mend` says how to get it; `missing`: something will not work."""

    name: str
    state: State
    found: str
    mend: str = ""


def first_line(command: Sequence[str]) -> str | None:
    """The first line a program prints, or None where it fails."""
    try:
        with tempfile.TemporaryDirectory(prefix="vantage-doctor-") as home:  # programs write caches
            answer = subprocess.run(
                command,
                env={**os.environ, "HOME": home, "XDG_CACHE_HOME": home, "XDG_CONFIG_HOME": home},
                capture_output=True,
                text=True,
                check=False,
                timeout=20,
                errors="replace",
            )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = answer.stdout.strip().splitlines()
    return lines[0] if answer.returncode == 0 and lines else None
