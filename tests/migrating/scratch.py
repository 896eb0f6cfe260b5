"""A database of its own beside the test database, for migrations that go somewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from tests.support.road import address_of

ROOT = Path(__file__).resolve().parents[2]


class Scratch:
    """Its address; `migrate(…)` runs the command in a process of its own, `ask(…)` a query."""

    def __init__(self, name: str) -> None:
        self.name = f"{connection.settings_dict['NAME']}_{name}"
        self.url = address_of(connection.settings_dict).rpartition("/")[0] + f"/{self.name}"

    def start_migrate(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "portal.settings.test",
            "VANTAGE_TEST_DATA": str(settings.VANTAGE_DATA),
            "DATABASE_URL": self.url,
        }
        command = [sys.executable, "manage.py", "migrate", "--no-input", *arguments]
        return subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def migrate(self, *arguments: str) -> str:
        process = self.start_migrate(*arguments)
        said, _ = process.communicate(timeout=240)
        assert process.returncode == 0, said
        return said

    def ask(self, query: str, values: Any = None) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as rows:
            return rows.execute(query, values).fetchall()  # type: ignore[arg-type]


@contextmanager
def scratch(name: str) -> Iterator[Scratch]:
    """An empty database, dropped afterwards."""
    found = Scratch(name)
    drop = f'DROP DATABASE IF EXISTS "{found.name}" WITH (FORCE)'
    with connection.cursor() as cursor:
        cursor.execute(drop)
        cursor.execute(f'CREATE DATABASE "{found.name}"')
    try:
        yield found
    finally:
        with connection.cursor() as cursor:
            cursor.execute(drop)
