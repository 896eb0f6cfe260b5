"""When a message is tried again (pure; moments and chance are given)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: Seconds before attempt 1, 2, …; after the last one the message is dead.
DELAYS = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600)
JITTER = 0.1
MAX_THROTTLE = timedelta(hours=1)
DEFAULT_THROTTLE = timedelta(seconds=60)
THROTTLING = frozenset({429, 502, 504})
GIVE_UP_ON_ENDPOINT = timedelta(days=5)


def next_due(attempts: int, now: datetime, chance: Callable[[], float]) -> datetime | None:
    """The moment of the attempt after `attempts` failed ones, ± 10 % (`chance` gives 0..1); None when there is none."""
    if attempts >= len(DELAYS):
        return None
    factor = 1 + JITTER * (2 * chance() - 1)
    return now + timedelta(seconds=DELAYS[attempts] * factor)


def throttle(status: int | None, retry_after: str, now: datetime) -> timedelta | None:
    """How long the endpoint is left alone (at most 1 h): what `Retry-After` asks, or 60 s after 429, 502, 504.

    `Retry-After` counts with any failure, as seconds or as an HTTP date (RFC 9110 §10.2.3).
    """
    asked = _seconds(retry_after, now)
    if asked is None:
        return DEFAULT_THROTTLE if status in THROTTLING else None
    return max(timedelta(0), min(asked, MAX_THROTTLE))


def _seconds(text: str, now: datetime) -> timedelta | None:
    text = text.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
