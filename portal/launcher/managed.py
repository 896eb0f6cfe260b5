"""`./vantage manage …`: Django's commands on the services of the data folder.

Where the demo runs, on its services; where nothing runs, the services are started for the command; where
DATABASE_URL and REDIS_URL are set, on those.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from portal.launcher.errors import LauncherError
from portal.launcher.folders import DataLock, read_secret
from portal.launcher.layout import ROOT, data_folder, process_environment, remembered_environment
from portal.launcher.services import Services

SETTINGS = "portal.settings.dev"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options; everything after them goes to Django."""
    parser.add_argument("--data", type=Path, help="data folder (default: .vantage in the checkout)")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="Django's command and its options")


def run(options: argparse.Namespace) -> int:
    """Run the command; its exit status is ours."""
    return on_services(data_folder(options.data), options.arguments)


def on_services(data: Path, arguments: list[str]) -> int:
    """manage.py on the given, the running, or for its time started services; its exit status."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return call(data, {}, arguments)
    services = Services(data)
    if is_in_use(services.lock):
        return call(data, running_urls(data, services), arguments)
    with services:
        return call(data, services.urls(), arguments)


def call(data: Path, urls: dict[str, str], arguments: list[str]) -> int:
    """manage.py with the environment that this data folder's processes have."""
    remembered = remembered_environment(data)
    settings = os.environ.get("DJANGO_SETTINGS_MODULE") or remembered.get("DJANGO_SETTINGS_MODULE", SETTINGS)
    environment = {**remembered, **process_environment(data, urls, settings)}
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


def is_in_use(lock: DataLock) -> bool:
    """True where another launcher runs on the data folder."""
    try:
        lock.acquire()
    except LauncherError:
        return True
    lock.release()
    return False


def running_urls(data: Path, services: Services) -> dict[str, str]:
    """The addresses of the services that another launcher started on this data folder."""
    urls = {name: value for name in ("DATABASE_URL", "REDIS_URL") if (value := os.environ.get(name))}
    for name, scheme in (
        ("postgres", "postgresql://vantage:{}@127.0.0.1:{}/vantage"),
        ("valkey", "redis://:{}@127.0.0.1:{}/0"),
    ):
        password, port = read_secret(data / "secrets" / name), services.ports.get(name)
        if password is None or not port:
            raise LauncherError(f"Vantage is starting on {data}; try again when it is ready")
        urls.setdefault(
            "DATABASE_URL" if name == "postgres" else "REDIS_URL", scheme.format(quote(password), port)
        )
    return urls
