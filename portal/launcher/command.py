"""Running a Django command as a child of the launcher, tied to it, its lines passed on."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from portal.launcher import lifeline
from portal.launcher.errors import LauncherError
from portal.launcher.layout import ROOT


def manage(
    arguments: Sequence[str], *, environment: Mapping[str, str], say: Callable[[str], None], purpose: str
) -> None:
    """Run `manage.py …`; LauncherError with its last lines where it fails."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=dict(environment),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        process_group=0,
        preexec_fn=lifeline.die_with_parent(15),
    ) as process:
        last: list[str] = []
        try:
            for line in process.stdout or ():
                last = [*last[-39:], line.rstrip()]
                # Progress is plain lines; log records (JSON) and tracebacks stay back until it fails.
                if not line.startswith(("{", " ", "Traceback")):
                    say(line.rstrip())
        except BaseException:
            lifeline.signal_group(process, 15)
            raise
    if process.returncode:
        raise LauncherError(f"{purpose} failed (status {process.returncode}):\n  " + "\n  ".join(last))
