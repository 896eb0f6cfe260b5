"""The rules for migrations that run while the version before still works on the same database.

Initial migrations are free. After them a column is added nullable or with a default of the database (`db_default`: the
old code does not name it), nothing is renamed, and what goes away goes in a later release than the code that used it:
such a migration says so by `contract = "unused since 1.3"`. On tables that grow without end indexes are built
CONCURRENTLY and constraints are first NOT VALID. Every step can be undone, and every migration has a name that says
what it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from apps.core.partitions import PARTITIONED
from portal.migrating.tables import BIG

MADE_BY_MACHINE = re.compile(r"^\d+_(auto_\d|alter_\w+_and_more|\w+_and_more$|initial$)")
Rule = Callable[[Operation, "Place"], Iterator[str]]


class Place:
    """Where an operation stands: its migration, the state before it, the tables that this migration made."""

    def __init__(self, migration: Migration, before: ProjectState, made: set[str]) -> None:
        self.migration, self.before, self.made = migration, before, made
        self.is_contract = bool(getattr(migration, "contract", ""))

    def table(self, model_name: str) -> str:
        """The database's name of a model's table."""
        model = self.before.apps.get_model(self.migration.app_label, model_name)
        return str(model._meta.db_table)

    def field(self, model_name: str, name: str) -> models.Field:
        """The field as it was before."""
        model = self.before.apps.get_model(self.migration.app_label, model_name)
        found: models.Field = model._meta.get_field(name)
        return found

    def is_big(self, model_name: str) -> bool:
        """True for a table that is full already when this runs."""
        return model_name.lower() not in self.made and self.table(model_name) in BIG


def faults_of(migration: Migration, before: ProjectState) -> list[str]:
    """What is wrong with one migration; `before` is the state it starts from. Initial ones are free."""
    if migration.initial or migration.name.endswith("_initial"):
        return []
    found = []
    if MADE_BY_MACHINE.match(migration.name):
        found.append("its name does not say what it does: rename it")
    made: set[str] = set()
    state = before.clone()
    for operation in flattened(migration.operations):
        place = Place(migration, state.clone(), made)
        for rule in RULES:
            found += [f"{operation.describe()}: {fault}" for fault in rule(operation, place)]
        if isinstance(operation, operations.CreateModel):
            made.add(operation.name.lower())
        operation.state_forwards(migration.app_label, state)
    return found


def flattened(found: list[Operation]) -> Iterator[Operation]:
    """Operations on the database; those that only change the state of the models are left out."""
    for operation in found:
        if isinstance(operation, operations.SeparateDatabaseAndState):
            yield from flattened(operation.database_operations)
        else:
            yield operation


def undone(operation: Operation, place: Place) -> Iterator[str]:
    """Every step can be taken back."""
    if not operation.reversible:
        yield "cannot be undone: give it a reverse (RunSQL.noop where there is nothing to do)"


def added_column(operation: Operation, place: Place) -> Iterator[str]:
    """The old code inserts rows without the new column."""
    if not isinstance(operation, operations.AddField):
        return
    field = operation.field
    if operation.model_name_lower in place.made or field.many_to_many:
        return
    if not field.null and not field.has_db_default() and not getattr(field, "generated", False):
        yield "NOT NULL without db_default: the old code's inserts fail"
    if place.is_big(operation.model_name):
        if field.remote_field and field.db_constraint:
            yield "a foreign key on a big table locks two tables: db_constraint=False"
        if field.db_index or field.unique:
            yield "builds its index under a lock: db_index=False, then AddIndexConcurrently"


def changed_column(operation: Operation, place: Place) -> Iterator[str]:
    """No rewrite, no scan under a lock, no NULL that the old code still writes."""
    if not isinstance(operation, operations.AlterField) or operation.model_name_lower in place.made:
        return
    old, new = place.field(operation.model_name, operation.name), operation.field
    if old.null and not new.null and not place.is_contract:
        yield "NOT NULL on a column that the old code may leave empty: contract"
    if not old.many_to_many and _rewrites(str(old.db_type(connection)), str(new.db_type(connection))):
        yield f"{old.db_type(connection)} → {new.db_type(connection)} rewrites the table: add a new column"


def _rewrites(old: str, new: str) -> bool:
    """Widening a varchar, or making it text, changes the catalogue only."""
    if old == new:
        return False
    was, becomes = re.fullmatch(r"varchar\((\d+)\)", old), re.fullmatch(r"varchar\((\d+)\)", new)
    if was and becomes:
        return int(becomes[1]) < int(was[1])
    return not (was and new == "text")


def taken_away(operation: Operation, place: Place) -> Iterator[str]:
    """The old code still uses what is there."""
    renames = (operations.RenameField, operations.RenameModel, operations.AlterModelTable)
    if isinstance(operation, renames):
        yield "breaks the old code: add the new one, copy, remove the old in a later release"
    if isinstance(operation, (operations.RemoveField, operations.DeleteModel)) and not place.is_contract:
        yield 'the old code may use it: a later release, with contract = "unused since …"'


def built_index(operation: Operation, place: Place) -> Iterator[str]:
    """Building an index stops all writes to its table, unless CONCURRENTLY."""
    if isinstance(operation, AddIndexConcurrently):
        if place.table(operation.model_name) in PARTITIONED:
            yield "a partitioned table takes no CONCURRENTLY: ON ONLY, then each partition, by RunSQL"
        if place.migration.atomic:
            yield "CONCURRENTLY needs atomic = False"
    elif isinstance(operation, operations.AddIndex) and place.is_big(operation.model_name):
        yield "builds an index of a big table under a lock: AddIndexConcurrently"


def added_constraint(operation: Operation, place: Place) -> Iterator[str]:
    """Checking all rows of a big table happens under a lock, unless it is put off."""
    if isinstance(operation, AddConstraintNotValid) or not isinstance(operation, operations.AddConstraint):
        return
    if place.is_big(operation.model_name):
        yield "checks a big table under a lock: AddConstraintNotValid, then ValidateConstraint"


RULES: tuple[Rule, ...] = (undone, added_column, changed_column, taken_away, built_index, added_constraint)
