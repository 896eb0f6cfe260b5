"""F43: every migration can be taken back and applied again: nothing stays behind, and the schema is the same."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from tests.migrating.scratch import Scratch, scratch

pytestmark = pytest.mark.django_db(transaction=True)

COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY 1, 2
"""
INDEXES = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
TRIGGERS = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"
FUNCTIONS = """
    SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') ORDER BY 1
"""


def schema(site: Scratch) -> dict[str, list[tuple[object, ...]]]:
    queries = (COLUMNS, INDEXES, CONSTRAINTS, TRIGGERS, FUNCTIONS)
    return {query: site.ask(query) for query in queries}


def own_labels() -> set[str]:
    return {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}


@pytest.mark.slow_fault
def test_f43_every_migration_goes_back_and_forward_again() -> None:
    with scratch("backwards") as site:
        site.migrate()
        there = schema(site)
        for label in sorted(own_labels(), key=lambda label: (label != "core", label != "accounts", label)):
            if any(row[0] == label for row in site.ask("SELECT app FROM django_migrations")):
                site.migrate(label, "zero")
        left = {
            str(row[0]) for row in site.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        }
        prefixes = tuple(f"{label}_" for label in own_labels())
        assert [name for name in sorted(left) if name.startswith(prefixes)] == []
        assert site.ask(FUNCTIONS) == []
        site.migrate()
        again = schema(site)
        for query, found in there.items():
            assert again[query] == found


def test_f43_there_is_one_last_migration_per_room() -> None:
    loader = MigrationLoader(None)
    assert loader.detect_conflicts() == {}
