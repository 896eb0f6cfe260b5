"""One clock for the whole product, so that tests can move it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, timezone-aware UTC (time-machine moves it in tests)."""
    return datetime.now(tz=UTC)
