"""The rules for migrations on a live database, one faulty migration each."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    ValidateConstraint,
)
from django.core.management import call_command
from django.db import migrations, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from portal.migrating.rules import faults_of
from portal.migrating.tables import BIG

index = models.Index(fields=["camera", "score"], name="event_camera_score")
rule = models.CheckConstraint(condition=models.Q(score__gte=0), name="event_score")
nullable = models.IntegerField(null=True)

FAULTS: dict[str, tuple[list[Any], str]] = {
    "not null": ([migrations.AddField("event", "note", models.IntegerField(default=1))], "db_default"),
    "indexed": (
        [migrations.AddField("event", "note", models.IntegerField(null=True, db_index=True))],
        "under a lock",
    ),
    "foreign key": (
        [migrations.AddField("event", "other", models.ForeignKey("events.Event", models.CASCADE, null=True))],
        "two tables",
    ),
    "rename": ([migrations.RenameField("event", "score", "confidence")], "breaks the old code"),
    "remove": ([migrations.RemoveField("event", "score")], "later release"),
    "delete": ([migrations.DeleteModel("EventLock")], "later release"),
    "index": ([migrations.AddIndex("event", index)], "AddIndexConcurrently"),
    "atomic": ([AddIndexConcurrently("event", index)], "atomic = False"),
    "constraint": ([migrations.AddConstraint("event", rule)], "NotValid"),
    "type": ([migrations.AlterField("event", "score", models.TextField(default=""))], "rewrites"),
    "null": ([migrations.AlterField("event", "capture_id", models.UUIDField(default=None))], "contract"),
    "one way": ([migrations.RunSQL("SELECT 1")], "undone"),
}
GOOD: dict[str, list[Any]] = {
    "nullable": [migrations.AddField("event", "note", nullable)],
    "default": [migrations.AddField("event", "note", models.IntegerField(default=1, db_default=1))],
    "small table": [
        migrations.AddIndex("eventlock", models.Index(fields=["until"], name="event_lock_until"))
    ],
    "new table": [
        migrations.CreateModel("Note", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddField("note", "text", models.TextField(default="", db_index=True)),
    ],
    "constraint in two steps": [
        AddConstraintNotValid("event", rule),
        ValidateConstraint("event", "event_score"),
    ],
    "wider": [migrations.AlterField("event", "address", models.CharField(max_length=400, blank=True))],
    "both ways": [migrations.RunSQL("SELECT 1", migrations.RunSQL.noop)],
}


def made(operations: list[Any], name: str = "0002_say_what", **attributes: Any) -> list[str]:
    loader = MigrationLoader(None)
    migration = type("Migration", (Migration,), {"operations": operations, **attributes})(name, "events")
    return faults_of(migration, loader.project_state())


@pytest.mark.parametrize("name", FAULTS)
def test_what_breaks_or_stops_the_old_code_is_refused(name: str) -> None:
    operations, words = FAULTS[name]
    assert any(words in fault for fault in made(operations))


@pytest.mark.parametrize("name", GOOD)
def test_what_runs_beside_the_old_code_is_accepted(name: str) -> None:
    assert made(GOOD[name]) == []


def test_what_nobody_uses_any_more_may_go() -> None:
    assert made([migrations.RemoveField("event", "score")], contract="unused since 1.3") == []


def test_an_index_is_built_concurrently() -> None:
    assert made([AddIndexConcurrently("event", index)], atomic=False) == []


@pytest.mark.parametrize(
    "name", ["0002_auto_20261121_0344", "0002_alter_event_score_and_more", "0002_initial"]
)
def test_a_name_says_what_the_migration_does(name: str) -> None:
    assert (made(GOOD["nullable"], name) != []) is not name.endswith("initial")


def test_our_own_migrations_keep_the_rules() -> None:
    call_command("lint_migrations")


@pytest.mark.django_db
def test_the_big_tables_exist() -> None:
    from django.db import connection

    assert set(connection.introspection.table_names()) >= BIG
