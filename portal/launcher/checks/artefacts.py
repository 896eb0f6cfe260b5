"""Files that are made from others and committed: migrations, the API's schema, the lock."""

import difflib
import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from portal.launcher.checks.step import Outcome, run_program, step_environment
from portal.launcher.layout import ROOT

SCHEMA = "docs/openapi.yaml"
SCHEMA_COMMAND = ["spectacular", "--lang", "en", "--validate", "--fail-on-warn", "--file"]
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)
LOCKS = {"requirements.txt": [], "requirements-dev.txt": ["--extra", "dev"]}
COMPILE = ["pip", "compile", "-q", "--universal", "--python-version", "3.11", "--generate-hashes"]
COMPILE += ["--no-emit-index-url", "--no-emit-find-links"]
SYSTEM_CERTIFICATES = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
REGISTRY_AWAY = ("Failed to fetch", "error sending request", "dns error")


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


def live_migrations() -> Outcome:
    """Every migration may run beside the version before."""
    status, output = django(["lint_migrations"])
    return Outcome(
        "ok" if status == 0 else "failed", output, "" if status == 0 else "docs/operator.md, Upgrades"
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
            status, output = run_program(
                command, {**step_environment(), **SYSTEM_CERTIFICATES}, folder=Path(own)
            )
            if status and any(sign in output for sign in REGISTRY_AWAY):
                outcome = named_in(name, extra)
                if outcome.state == "failed":
                    return outcome
                continue
            if status:
                return Outcome("failed", output, mend)
            outcome = compare(ROOT / name, Path(own) / name, mend)
            if outcome.state == "failed":
                return outcome
    return Outcome("ok")


def named_in(lock: str, extra: list[str]) -> Outcome:
    """Without a registry: every dependency of pyproject.toml is pinned in the lock, at a version it allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(project["optional-dependencies"]["dev"] if extra else [])]
    pins: dict[str, list[str]] = {}
    for found in PIN.finditer((ROOT / lock).read_text(encoding="utf-8")):
        pins.setdefault(canonicalize_name(found["name"]), []).append(found["version"])
    wrong = []
    for text in wanted:
        requirement = Requirement(text)
        versions = pins.get(canonicalize_name(requirement.name), [])
        if not versions or not all(requirement.specifier.contains(one) for one in versions):
            wrong.append(f"{requirement} is not what {lock} pins ({', '.join(versions) or 'nothing'})")
    return (
        Outcome("failed", "\n".join(wrong)) if wrong else Outcome("ok", "compared without a package registry")
    )


def compare(committed: Path, made: Path, mend: str) -> Outcome:
    """Failed, with the first differing lines, where the files differ."""
    old, new = (path.read_text(encoding="utf-8").splitlines() for path in (committed, made))
    if old == new:
        return Outcome("ok")
    difference = difflib.unified_diff(old, new, f"committed {committed.name}", "made now", lineterm="", n=1)
    return Outcome("failed", "\n".join(list(difference)[:40]), mend)
