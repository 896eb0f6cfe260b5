"""`./vantage audit verify`: is the audit trail whole? Exit 1 and the number of the first broken record if not."""

import argparse
from pathlib import Path

from portal.launcher import managed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb, and a data folder where the database is ours."""
    parser.add_argument("verb", choices=["verify", "checkpoint", "restored"])
    parser.add_argument("--reason", default="", help="with restored: why records after the head are lost")
    parser.add_argument("--data", type=Path, help="data folder (default: .vantage in the checkout)")


def run(options: argparse.Namespace) -> int:
    """Django's command of the same name, on the services of the data folder."""
    options.arguments = ["audit", options.verb, *(["--reason", options.reason] if options.reason else [])]
    return managed.run(options)
