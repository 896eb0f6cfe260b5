"""F43: migrating while the released code works: it goes on inserting, and no big table is written anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from psycopg import sql
from psycopg.types.json import Jsonb

from apps.core import clock
from portal.management.commands.migrate import LOCK_TIMEOUT
from portal.migrating.tables import BIG
from tests.migrating.scratch import Scratch, scratch

pytestmark = pytest.mark.django_db(transaction=True)
LONGEST_WAIT = 15.0  # the promise: a few times the lock timeout, and room for a slow machine
VALUES: dict[str, Any] = {
    "ArrayField": list,
    "BigAutoField": None,
    "BooleanField": lambda: False,
    "DateTimeField": clock.now,
    "FloatField": lambda: 0.0,
    "ForeignKey": uuid4,
    "JSONField": lambda: Jsonb({}),
    "UUIDField": uuid4,
}


def released() -> list[tuple[str, str]]:
    """The migrations of the first release: each room's first ones."""
    keys = MigrationLoader(None).disk_migrations
    return [key for key in keys if key[1].endswith("_initial")]


class OldCode:
    """Inserts and reads on the big tables as the released models do; `slowest` is the longest statement in seconds."""

    def __init__(self, url: str) -> None:
        loader = MigrationLoader(None)
        # An app's released state, without what later migrations of our own rooms add.
        state = loader.project_state(
            [key for key in loader.graph.nodes if key[0] not in OWN or key[1].endswith("_initial")]
        )
        tables = {model._meta.db_table: model for model in state.apps.get_models()}
        self.models = [tables[name] for name in sorted(BIG)]
        self.url, self.ended = url, threading.Event()
        self.slowest, self.rows, self.failures = 0.0, 0, []  # type: ignore[var-annotated]
        self.number = 0

    def insert(self, rows: psycopg.Connection[Any], model: type[models.Model]) -> None:
        fields = [field for field in model._meta.concrete_fields if value_of(field) is not SKIP]
        values = [value_of(field) for field in fields]
        self.number += 1
        values = [
            self.number if field.name == "seq" else value for field, value in zip(fields, values, strict=True)
        ]
        rows.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(model._meta.db_table),
                sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields),
                sql.SQL(", ").join(sql.Placeholder() for _ in fields),
            ),
            values,
        )

    def run(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as rows:
            rows.execute("SET session_replication_role = replica")  # rows without their cameras and types
            while not self.ended.is_set():
                for model in self.models:
                    began = time.monotonic()
                    try:
                        self.insert(rows, model)
                    except psycopg.Error as error:
                        self.failures.append(f"{model._meta.db_table}: {error}")
                        return
                    self.slowest = max(self.slowest, time.monotonic() - began)
                    self.rows += 1

    @contextmanager
    def at_work(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self.ended.set()
            thread.join()


OWN = {key[0] for key in released()}
SKIP = object()


def value_of(field: Any) -> Any:
    kind = field.get_internal_type()
    if kind == "OneToOneField":
        kind = "ForeignKey"
    if kind == "BigAutoField":
        return SKIP
    if kind in VALUES:
        return VALUES[kind]()
    return "" if kind in {"CharField", "TextField"} else 0


def files_of(site: Scratch) -> list[tuple[Any, ...]]:
    """Which file each big table, and each of its partitions, is stored in: another one means it was rewritten."""
    return site.ask(
        "SELECT relname, relfilenode FROM pg_class WHERE relkind = 'r' AND relname ~ %s ORDER BY 1",
        ["^(" + "|".join(sorted(BIG)) + ")(_rest)?$"],
    )


@pytest.mark.slow_fault
def test_f43_the_old_code_works_on_while_the_new_schema_is_applied() -> None:
    with scratch("live") as site:
        last = dict(sorted(released()))
        site.migrate("devices", last["devices"])
        for app in sorted(last):
            if not site.ask("SELECT 1 FROM django_migrations WHERE app = %s AND name = %s", [app, last[app]]):
                site.migrate(app, last[app])
        old, before = OldCode(site.url), files_of(site)
        with old.at_work(), psycopg.connect(site.url) as somebody:
            # A long report reads the tables that are to be changed: the migration must not make all others queue.
            for model in old.models:
                somebody.execute(
                    sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(model._meta.db_table))
                )
            migrating = site.start_migrate()
            said = reading_until_busy_or_done(migrating)
            somebody.rollback()
            rest, _ = migrating.communicate(timeout=240)
        assert migrating.returncode == 0, said + rest
        assert old.failures == []
        assert old.rows > 50
        assert old.slowest < LONGEST_WAIT
        after = dict(files_of(site))
        assert {name: after[name] for name, _ in before} == dict(before), "a big table was rewritten"
        with psycopg.connect(site.url) as rows:  # the new code may go back to the old one
            rows.execute("SET session_replication_role = replica")
            for model in old.models:
                old.insert(rows, model)


def reading_until_busy_or_done(process: Any) -> str:
    """What it says until a busy table sends it back for the first time, or until it has ended."""
    said = ""
    for line in process.stdout:
        said += line
        if "is busy" in line:
            break
    return said


def test_f43_a_migration_gives_its_place_back_when_a_table_is_busy() -> None:
    with scratch("busy") as site, psycopg.connect(site.url) as somebody:
        somebody.execute(
            "CREATE TABLE django_migrations (id bigint generated by default as identity, "
            "app varchar(255), name varchar(255), applied timestamptz)"
        )
        somebody.commit()
        somebody.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
        process = site.start_migrate("contenttypes")
        assert "is busy" in reading_until_busy_or_done(process)
        somebody.rollback()
        rest, _ = process.communicate(timeout=120)
        assert process.returncode == 0, rest
        assert site.ask("SELECT 1 FROM django_migrations WHERE app = 'contenttypes'")


def test_f43_the_lock_timeout_ends_with_the_command() -> None:
    from django.core.management import call_command

    call_command("migrate", "contenttypes", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
    assert LOCK_TIMEOUT == "2s"
