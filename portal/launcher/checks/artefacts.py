"""Files that are made from others and committed: migrations, the API's schema, the lock."""

import difflib
import shutil
import sys
import tempfile
from pathlib import Path

from portal.launcher.checks.step import Outcome, run_program, step_environment
from portal.launcher.layout import ROOT

SCHEMA = "docs/openapi.yaml"
SCHEMA_COMMAND = ["spectacular", "--lang", "en", "--validate", "--fail-on-warn", "--file"]
LOCKS = {"requirements.txt": [], "requirements-dev.txt": ["--extra", "dev"]}
COMPILE = ["pip", "compile", "-q", "--universal", "--python-version", "3.11", "--generate-hashes"]
COMPILE += ["--no-emit-index-url", "--no-emit-find-links"]


def django(arguments: list[str]) -> tuple[int, str]:
    """Run manage.py in a data folder that is thrown away, with no service at hand."""
    with tempfile.TemporaryDirectory(prefix="vantage-check-") as own:
        environment = {**step_environment(), "VANTAGE_DATA": own}
        return run_program([sys.executable, "manage.py", *arguments], environment)


def migrations() -> Outcome:
    """No model differs from its migrations."""
    status, output = django(["makemigrations", "--check", "--dry-run", "--verbosity", "1"])
    return (
        Outcome("ok", output) if status == 0 else Outcome("failed", output, "./vantage manage makemigrations")
    )


def schema_snapshot() -> Outcome:
    """The committed schema is what the code gives, and gives no warning."""
    mend = f"./vantage manage {' '.join(SCHEMA_COMMAND)} {SCHEMA}"
    with tempfile.TemporaryDirectory(prefix="vantage-schema-") as own:
        made = Path(own) / "openapi.yaml"
        status, output = django([*SCHEMA_COMMAND, str(made)])
        if status:
            return Outcome("failed", output)
        committed = ROOT / SCHEMA
        if not committed.exists():
            return Outcome("failed", f"{SCHEMA} is not there", mend)
        return compare(committed, made, mend)


def lock_in_step() -> Outcome:
    """Compiling pyproject.toml again, starting from the lock, changes nothing."""
    uv = Path(sys.executable).parent / "uv"
    for name, extra in LOCKS.items():
        with tempfile.TemporaryDirectory(prefix="vantage-lock-") as own:
            for source in ("pyproject.toml", name):
                shutil.copy(ROOT / source, own)
            command = [str(uv), *COMPILE, *extra, "pyproject.toml", "-o", name]
            mend = f"uv {' '.join(command[1:])}"
            status, output = run_program(command, folder=Path(own))
            if status:
                return Outcome("failed", output, "needs a package registry; then: " + mend)
            outcome = compare(ROOT / name, Path(own) / name, mend)
            if outcome.state == "failed":
                return outcome
    return Outcome("ok")


def compare(committed: Path, made: Path, mend: str) -> Outcome:
    """Failed, with the first differing lines, where the files differ."""
    old, new = (path.read_text(encoding="utf-8").splitlines() for path in (committed, made))
    if old == new:
        return Outcome("ok")
    difference = difflib.unified_diff(old, new, f"committed {committed.name}", "made now", lineterm="", n=1)
    return Outcome("failed", "\n".join(list(difference)[:40]), mend)
