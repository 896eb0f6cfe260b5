"""`./vantage bench NAME`: ratios measured inside one run; both sides, goal and machine are printed."""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, redirect_stdout
from datetime import UTC, datetime
from inspect import signature
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

from portal.launcher import machine
from portal.launcher.console import say
from portal.launcher.errors import LauncherError
from portal.launcher.layout import ROOT, process_environment
from portal.launcher.services import Services
from portal.launcher.testing import SETTINGS, service_folder

FOLDER = ROOT / "tests" / "bench"
ALL = "all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "name", help=f"one of: {', '.join(names()) or '(none yet)'}; or {ALL}, one after the other"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--quick", action="store_true", help="fewer rounds: shows that it runs, measures roughly"
    )
    parser.add_argument(
        "--flame", type=Path, metavar="FILE", help="pipeline: also draw a flame graph of its processes"
    )


def names() -> list[str]:
    """The benches there are: the files of tests/bench with a `run`."""
    found = sorted(
        path for path in FOLDER.glob("*.py") if not path.name.startswith(("_", "conftest", "test_"))
    )
    return [path.stem for path in found if "\ndef run(" in f"\n{path.read_text(encoding='utf-8')}"]


def run(options: argparse.Namespace) -> int:
    """Run one bench or all; 0 whatever the ratios are: goals are reported, not enforced."""
    if options.name == ALL and options.flame is None:
        return run_all(options)
    if options.name == ALL:
        raise LauncherError("a flame graph is of one bench: ./vantage bench pipeline --flame FILE")
    if options.name not in names():
        raise LauncherError(
            f"there is no bench {options.name!r}; there are: {', '.join(names()) or 'none yet'}"
        )
    module = load(options.name)
    extra = {"flame": options.flame.absolute()} if options.flame else {}
    if extra and "flame" not in signature(module.run).parameters:
        raise LauncherError(f"bench {options.name} draws no flame graph; pipeline does")
    with tempfile.TemporaryDirectory(prefix="vantage-bench-") as own:
        needs_services = bool(getattr(module, "NEEDS_SERVICES", False))
        folder = service_folder(Path(own)) if needs_services else Path(own)
        # fsync as in production: a bench that cheats on it would measure another database.
        with Services(folder) if needs_services else nullcontext() as services:
            os.environ.update(process_environment(Path(own), services.urls() if services else {}, SETTINGS))
            os.environ["VANTAGE_TEST_DATA"] = own
            with redirect_stdout(sys.stderr):
                rows = [as_row(row) for row in module.run(options.quick, **extra)]
    report = {"bench": options.name, "machine": machine.describe(), "rows": rows}
    if options.json:
        say(json.dumps(report, ensure_ascii=False))
    else:
        for line in report_lines(report):
            say(line)
    return 0


def run_all(options: argparse.Namespace) -> int:
    """Every bench in a process of its own, since they measure memory; one report, 1 when a bench broke off."""
    started = datetime.now(UTC)
    reports = []
    for name in names():
        print(f"bench {name} …", file=sys.stderr, flush=True)  # noqa: T201
        reports.append(run_apart(name, quick=options.quick))
    report = {
        "bench": ALL,
        "started": started.isoformat(timespec="seconds"),
        "quick": options.quick,
        "machine": machine.describe(),
        "benches": reports,
    }
    lines = [json.dumps(report, ensure_ascii=False)] if options.json else chain(*map(report_lines, reports))
    for line in lines:
        say(line)
    return int(any("error" in one for one in reports))


def run_apart(name: str, *, quick: bool) -> dict[str, Any]:
    """The report of one bench; with `error` and no rows where it broke off, its complaint being on stderr."""
    flags = ["--quick"] if quick else []
    command = [sys.executable, "-m", "portal.launcher", "bench", name, "--json", *flags]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    try:
        report: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        about = {"machine": machine.describe(), "rows": []}
        return {"bench": name, **about, "error": f"broke off with exit code {done.returncode}"}
    return report


def load(name: str) -> ModuleType:
    """The bench's module, whose `run(quick)` yields rows."""
    sys.path.insert(0, str(ROOT))
    specification = importlib.util.spec_from_file_location(f"tests.bench.{name}", FOLDER / f"{name}.py")
    if specification is None or specification.loader is None:
        raise LauncherError(f"tests/bench/{name}.py cannot be loaded")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


def as_row(row: Any) -> dict[str, Any]:
    """A row as 6 fields of JSON: mappings and dataclass-like objects are both fine."""
    given: Mapping[str, Any] = row if isinstance(row, Mapping) else vars(row)
    return {name: given.get(name) for name in ("name", "value", "goal", "ok", "sides")} | dict(given)


def report_lines(report: Mapping[str, Any]) -> Iterable[str]:
    """The report for a reader."""
    about = report["machine"]
    yield f"{report['bench']} on {about['processor']}, {about['cores']} cores, load {about['load_1m']}"
    if "error" in report:
        yield f"  {report['error']}"
    for row in report["rows"]:
        value = f"{row['value']:.4g}" if isinstance(row["value"], int | float) else str(row["value"])
        verdict = {True: "reached", False: "NOT reached"}.get(row["ok"], "no goal")
        goal = "" if row["goal"] is None else f"  goal {row['goal']}"
        yield f"  {row['name']:<34} {value:>10}{goal}  {verdict}"
        for side, figure in (row["sides"] or {}).items():
            yield f"      {side}: {figure}"
