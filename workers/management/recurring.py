"""Recurring tasks: each (schedule, slot of time) is fired once, whoever leads and whatever the clock does."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from django.db import connection, transaction

from apps.core import clock, leases
from apps.core.periodic import Periodic, schedule

logger = logging.getLogger(__name__)
MOST_FIRINGS = 100
"""A schedule that makes up for all its missed slots does not make up for more than that."""
LATE_SECONDS = 2.0
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Recurring:
    """Fires what is due; remembers the last slot it looked at, so that most calls ask nobody."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def fire(self) -> None:
        """Send each recurring task whose slot has begun and which nobody fired."""
        moment = clock.now()
        since = (moment - EPOCH).total_seconds()
        for name, item in schedule.items():
            slot = int(since // item.seconds)
            if self._seen.get(name) == slot:
                continue
            with transaction.atomic():  # where the broker is away the slot is given back, and fired later
                before = claim(name, slot, moment)
                if before is not None:
                    for _ in range(firings(name, item, slot - before, since - slot * item.seconds)):
                        item.task.apply_async(expires=max(60.0, item.seconds), ignore_result=True)
            self._seen[name] = slot


def firings(name: str, item: Periodic, slots: int, late: float) -> int:
    """How often the task is sent now that `slots` slots have begun since the last claim, the newest `late` s ago."""
    missed = slots - 1
    if missed > 0:
        logger.warning("schedule %s: %d slots passed unfired, policy: %s", name, missed, item.missed)
    if item.missed == "all":
        return min(slots, MOST_FIRINGS)
    if item.missed == "skip" and missed > 0 and late > max(LATE_SECONDS, item.seconds / 10):
        return 0
    return 1


@transaction.atomic
def claim(name: str, slot: int, moment: datetime) -> int | None:
    """For exactly one caller per (schedule, slot) the slot claimed before it (`slot - 1` at the very first time).

    None for everybody else, and for a slot before the last one: a clock that was set back fires nothing twice.
    """
    key, holder = f"periodic:{name}", leases.holder_name()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_processlease (name, holder, fence, renewed_at, until, detail) "
            "VALUES (%s, %s, %s, %s, %s, '{}') ON CONFLICT (name) DO NOTHING",
            [key, holder, slot, moment, moment],
        )
        if cursor.rowcount == 1:
            return slot - 1
        cursor.execute("SELECT fence FROM core_processlease WHERE name = %s FOR UPDATE", [key])
        before = int(cursor.fetchone()[0])
        if before >= slot:
            return None
        cursor.execute(
            "UPDATE core_processlease SET fence = %s, holder = %s, renewed_at = %s, until = %s WHERE name = %s",
            [slot, holder, moment, moment, key],
        )
    return before
