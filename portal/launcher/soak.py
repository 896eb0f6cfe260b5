"""`./vantage soak`: the whole road under a random nemesis, then the checker's verdict and the slopes."""

import argparse
import importlib
import json
import os
import random
import sys
from contextlib import redirect_stdout

from portal.launcher.console import complain, say
from portal.launcher.layout import ROOT

SETTINGS = "portal.settings.test"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--minutes", type=float, default=30.0, help="how long the nemesis strikes (default 30)"
    )
    parser.add_argument("--seed", type=int, help="repeat the nemesis of an earlier soak")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Soak on services of its own; 0 only where the verdict is clean."""
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    module = importlib.import_module("tests.soak.run")
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    with redirect_stdout(sys.stderr):
        report = module.run(options.minutes, seed, complain)
    if options.json:
        say(json.dumps(report, ensure_ascii=False, default=str))
    else:
        for line in module.lines(report):
            say(line)
    return 0 if report["clean"] else 1
