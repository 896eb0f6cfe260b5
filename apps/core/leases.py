"""Taking, renewing and fencing process leases."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from apps.core import clock
from apps.core.models import ProcessLease

FORGET_AFTER = timedelta(minutes=5)


def holder_name() -> str:
    """Host and process id: enough to find the holder of a lease."""
    return f"{socket.gethostname()}:{os.getpid()}"


def take(name: str, *, seconds: float, detail: dict[str, Any] | None = None) -> int | None:
    """Take or renew the lease `name` for this process; returns the fence, or None while another holds it."""
    moment = clock.now()
    until = moment + timedelta(seconds=seconds)
    with transaction.atomic():
        row, made = ProcessLease.objects.select_for_update().get_or_create(
            name=name,
            defaults={
                "holder": holder_name(),
                "fence": 1,
                "renewed_at": moment,
                "until": until,
                "detail": detail or {},
            },
        )
        if made:
            return row.fence
        if row.holder != holder_name():
            if row.until > moment:
                return None
            row.holder = holder_name()
            row.fence += 1
        row.renewed_at, row.until = moment, until
        if detail is not None:
            row.detail = detail
        row.save()
        return row.fence


def release(name: str) -> None:
    """Give the lease back at once, so that a standby need not wait for its end."""
    ProcessLease.objects.filter(name=name, holder=holder_name()).update(until=clock.now())


def forget(prefix: str) -> None:
    """Remove rows of this prefix that nobody renews any more: processes that ended long ago."""
    ProcessLease.objects.filter(name__startswith=prefix, until__lt=clock.now() - FORGET_AFTER).delete()


def is_over(name: str) -> bool:
    """True where the lease exists and its holder has let it end without giving it back to somebody."""
    return ProcessLease.objects.filter(name=name, until__lt=clock.now()).exists()


class LeaderLock:
    """A PostgreSQL advisory lock held by this connection: one leader, gone with its session.

    A leader that stalls keeps its session. `end_holder` ends that session: whatever the stalled one still wants to
    write on it is rejected, and the lock is free.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.held = False

    def acquire(self) -> bool:
        """Try to become (or stay) leader; False while another session holds the lock."""
        if self.held:
            return True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [self.number])
            row = cursor.fetchone()
        self.held = bool(row and row[0])
        return self.held

    def end_holder(self) -> int:
        """End the session that holds the lock; returns how many sessions were ended."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted "
                "AND classid = 0 AND objid = %s AND objsubid = 1 AND pid <> pg_backend_pid() AND database = "
                "(SELECT oid FROM pg_database WHERE datname = current_database())",
                [self.number],
            )
            row = cursor.fetchone()
        return int(row[0]) if row else 0
