"""`./vantage build`: the front end, where its sources have changed."""

import argparse

from portal.launcher import frontend
from portal.launcher.console import say
from portal.launcher.layout import ROOT, data_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(options: argparse.Namespace) -> int:
    """Build; LauncherError where it fails."""
    if frontend.is_built(ROOT):
        say("front end: up to date")
        return 0
    frontend.ensure_built(ROOT, data_folder(None), say)
    return 0
