"""A number that grows when the set of executions changes, so that planner and holders read it only then."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from apps.core import clock

NAME = "analysis.executions"


def revision() -> int:
    """The present number; 0 before the first change."""
    with connection.cursor() as cursor:  # twice a second, and by every holder of streams
        cursor.execute("SELECT fence FROM core_processlease WHERE name = %s", [NAME])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def bump_revision() -> None:
    """Executions or what they depend on (plans, calendar) changed."""
    moment = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_processlease (name, holder, fence, renewed_at, until, detail) "
            "VALUES (%s, '', 1, %s, %s, '{}') "
            "ON CONFLICT (name) DO UPDATE SET fence = core_processlease.fence + 1, renewed_at = excluded.renewed_at",
            [NAME, moment, moment + timedelta(days=36500)],
        )
