"""A table that keeps every change of a lease, filled by triggers: what polling would miss. Test databases only.

`old_until > at` with another holder in the same row is two holders at once: `release` ends the lease first.
"""

from __future__ import annotations

from django.db import connection

INSTALL = """
CREATE TABLE IF NOT EXISTS checker_lease_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL, name text NOT NULL, old_holder text NOT NULL, new_holder text NOT NULL,
    old_fence bigint NOT NULL, new_fence bigint NOT NULL, old_until timestamptz, new_until timestamptz);
TRUNCATE checker_lease_log;
CREATE OR REPLACE FUNCTION checker_process_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.name NOT LIKE 'periodic:%' AND (OLD.holder, OLD.fence) IS DISTINCT FROM (NEW.holder, NEW.fence) THEN
        INSERT INTO checker_lease_log (kind, name, old_holder, new_holder, old_fence, new_fence, old_until, new_until)
        VALUES ('process', OLD.name, OLD.holder, NEW.holder, OLD.fence, NEW.fence, OLD.until, NEW.until);
    END IF; RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION checker_execution() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (OLD.node, OLD.fence) IS DISTINCT FROM (NEW.node, NEW.fence) THEN
        INSERT INTO checker_lease_log (kind, name, old_holder, new_holder, old_fence, new_fence, old_until, new_until)
        VALUES ('execution', OLD.id::text, OLD.node, NEW.node, OLD.fence, NEW.fence, OLD.lease_until, NEW.lease_until);
    END IF; RETURN NEW; END $$;
CREATE OR REPLACE TRIGGER checker_process_lease AFTER UPDATE ON core_processlease
    FOR EACH ROW EXECUTE FUNCTION checker_process_lease();
CREATE OR REPLACE TRIGGER checker_execution AFTER UPDATE ON analysis_execution
    FOR EACH ROW EXECUTE FUNCTION checker_execution();
"""
REMOVE = """
DROP TRIGGER IF EXISTS checker_process_lease ON core_processlease;
DROP TRIGGER IF EXISTS checker_execution ON analysis_execution;
DROP FUNCTION IF EXISTS checker_process_lease();
DROP FUNCTION IF EXISTS checker_execution();
DROP TABLE IF EXISTS checker_lease_log;
"""


def install() -> None:
    """From now on every change of holder or fence is kept."""
    with connection.cursor() as cursor:
        cursor.execute(INSTALL)


def remove() -> None:
    """Leave the database as it was."""
    with connection.cursor() as cursor:
        cursor.execute(REMOVE)


def is_installed() -> bool:
    """Whether changes are kept."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('checker_lease_log') IS NOT NULL")
        return bool(cursor.fetchone()[0])
