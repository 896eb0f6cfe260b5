"""`./vantage restore FILE`: an archive back into an empty database, compared with what the archive says."""

import argparse
import os
import tarfile
from pathlib import Path

from portal.launcher.console import say
from portal.launcher.errors import LauncherError
from portal.launcher.folders import private_folder, write_private
from portal.launcher.layout import data_folder
from portal.launcher.managed import on_services


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("file", type=Path, help="the archive")
    parser.add_argument("--data", type=Path, help="data folder (default: .vantage in the checkout)")
    parser.add_argument(
        "--replace", action="store_true", help="empty the database first: what is there is lost"
    )
    parser.add_argument("--logs", type=Path, help="folder of logs that may name events after the backup")
    parser.add_argument(
        "--with-keys", action="store_true", help="take the key file from the archive; one that exists stays"
    )
    parser.add_argument("--json", action="store_true", help="print the report")


def run(options: argparse.Namespace) -> int:
    """Restore; 0 where everything is as the archive says."""
    data = data_folder(options.data)
    if options.with_keys:
        take_keys(options.file, Path(os.environ.get("VANTAGE_KEY_FILE") or data / "secrets" / "keys"))
    words = [f"--{name}" for name in ("replace", "json") if getattr(options, name)]
    logs = options.logs or data / "logs"
    if logs.is_dir():
        words += ["--logs", str(logs.absolute())]
    return on_services(data, ["restore", str(options.file.absolute()), *words])


def take_keys(archive: Path, target: Path) -> None:
    """Write the archive's key file to `target` (0600). LauncherError where another one is there already."""
    try:
        with tarfile.open(archive) as found:
            member = found.extractfile("keys")
            content = member.read().decode("ascii") if member else ""
    except (OSError, tarfile.TarError, KeyError, UnicodeDecodeError):
        content = ""
    if not content:
        raise LauncherError(f"{archive} holds no keys; give the site's own copy by VANTAGE_KEY_FILE")
    if target.exists():
        if target.read_text(encoding="ascii") == content:
            return
        raise LauncherError(f"{target} is another key file; a key file is never overwritten")
    private_folder(target.parent)
    write_private(target, content)
    say(f"keys: {target}")
