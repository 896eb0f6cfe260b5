"""`./vantage doctor`: what is there, what is missing, and the exact line that mends it."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from portal.launcher.console import say
from portal.launcher.diagnosis import Finding, machine_parts, python_parts, service_parts, tool_parts
from portal.launcher.layout import data_folder

GROUPS: tuple[Callable[[Path, int], list[Finding]], ...] = (
    python_parts.find,
    service_parts.find,
    tool_parts.find,
    machine_parts.find,
)
SIGNS = {"ok": "ok     ", "optional": "without", "missing": "MISSING"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--port", type=int, default=8000, help="port the web will take (default 8000)")
    parser.add_argument("--data", type=Path, help="data folder (default: .vantage in the checkout)")


def run(options: argparse.Namespace) -> int:
    """Look at everything; 1 where something that is needed is missing."""
    data = data_folder(options.data)
    findings = [finding for group in GROUPS for finding in group(data, options.port)]
    is_well = all(finding.state != "missing" for finding in findings)
    if options.json:
        say(
            json.dumps(
                {"ok": is_well, "findings": [vars(finding) for finding in findings]}, ensure_ascii=False
            )
        )
    else:
        for finding in findings:
            say(f"{SIGNS[finding.state]} {finding.name:<22} {finding.found}")
            if finding.mend:
                say(f"{'':>8}{'':<22} → {finding.mend}")
    return 0 if is_well else 1
