"""`./vantage check`: everything that must hold before a change goes in; each step with its time."""

import argparse
import json
import time
from collections.abc import Sequence

from portal.launcher.checks import Outcome, Step, all_steps
from portal.launcher.console import say
from portal.launcher.errors import LauncherError

SIGNS = {"ok": "ok     ", "skipped": "skipped", "failed": "FAILED "}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--only", nargs="+", metavar="STEP", help="only these steps")
    parser.add_argument("--list", action="store_true", help="name the steps")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Run the steps; 1 where one failed."""
    steps = chosen(all_steps(), options.only)
    if options.list:
        for step in steps:
            say(f"{step.name:<12} {step.purpose}")
        return 0
    report, is_well = [], True
    for step in steps:
        began = time.monotonic()
        outcome = step.run()
        seconds = time.monotonic() - began
        is_well = is_well and outcome.state != "failed"
        report.append(
            {
                "step": step.name,
                "state": outcome.state,
                "seconds": round(seconds, 2),
                "detail": outcome.detail,
            }
        )
        if not options.json:
            show(step, outcome, seconds)
    if options.json:
        say(json.dumps({"ok": is_well, "steps": report}, ensure_ascii=False))
    return 0 if is_well else 1


def chosen(steps: Sequence[Step], names: Sequence[str] | None) -> list[Step]:
    """The named steps, in their own order; LauncherError for a name that is none."""
    unknown = set(names or ()) - {step.name for step in steps}
    if unknown:
        known = ", ".join(step.name for step in steps)
        raise LauncherError(f"there is no step {', '.join(sorted(unknown))}; there are: {known}")
    return [step for step in steps if not names or step.name in names]


def show(step: Step, outcome: Outcome, seconds: float) -> None:
    """One step for a reader: its output only where it failed."""
    note = f"  ({outcome.detail.splitlines()[0]})" if outcome.state == "skipped" and outcome.detail else ""
    say(f"{SIGNS[outcome.state]} {step.name:<12} {seconds:6.1f} s{note}")
    if outcome.state == "failed":
        for line in outcome.detail.splitlines()[-60:]:
            say(f"    {line}")
        if outcome.mend:
            say(f"    → {outcome.mend}")
