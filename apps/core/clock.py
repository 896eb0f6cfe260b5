"""One clock for the whole product, so that tests can move it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, timezone-aware UTC (time-machine moves it in tests)."""
    return datetime.now(tz=UTC)


def skew() -> float:
    """Seconds by which this machine's clock is ahead of the database's (negative: behind), half the way there taken
    off."""
    from django.db import connection

    with connection.cursor() as cursor:
        before = now()
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
        after = now()
    assert row is not None
    middle = before + (after - before) / 2
    return float((middle - row[0]).total_seconds())
