"""`./vantage backup FILE`: an archive of this data folder's installation, while it runs or not."""

import argparse
from pathlib import Path

from portal.launcher.layout import data_folder
from portal.launcher.managed import on_services


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("file", type=Path, help="the archive to write; one that exists is never overwritten")
    parser.add_argument("--data", type=Path, help="data folder (default: .vantage in the checkout)")
    parser.add_argument("--with-media", action="store_true", help="the stored files too, not only their list")
    parser.add_argument("--with-keys", action="store_true", help="the key file too: guard such an archive")
    parser.add_argument("--json", action="store_true", help="print the archive's manifest")


def run(options: argparse.Namespace) -> int:
    """Make it; 1 with the cause where there is none."""
    data = data_folder(options.data)
    words = [
        f"--{name.replace('_', '-')}"
        for name in ("with_media", "with_keys", "json")
        if getattr(options, name)
    ]
    return on_services(data, ["backup", str(options.file.absolute()), *words])
