"""What a bench works on: a scratch database and a Redis database of its own, on the servers that it was given."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.support.road import claimed_broker


@dataclass(frozen=True, slots=True)
class Grounds:
    """A folder for what processes write, and the URLs of database and broker."""

    folder: Path
    database: str
    broker: str


@contextlib.contextmanager
def own_grounds(name: str) -> Iterator[Grounds]:
    """Fresh ones, which this process works on too: Django is set up on them and the tables are made."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"vantage-{name}-")))
        database = stack.enter_context(own_database(os.environ["DATABASE_URL"]))
        broker = stack.enter_context(claimed_broker(os.environ["REDIS_URL"]))
        os.environ.update(DATABASE_URL=database, REDIS_URL=broker)
        prepare_django()
        yield Grounds(folder, database, broker)


@contextlib.contextmanager
def own_database(url: str) -> Iterator[str]:
    """The URL of a fresh database on the same server, dropped afterwards."""
    name = f"vantage_bench_{os.getpid()}"
    server = psycopg.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")), autocommit=True)
    with server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            from django.db import connections

            connections.close_all()
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def prepare_django() -> None:
    """Settings from the environment as it is now, and the tables."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.test")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
