"""`manage.py ready capture`: is this machine's worker of that name alive and fed? For probes of a supervisor."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from apps.core import clock
from apps.core.models import ProcessLease


class Command(BaseCommand):
    help = (
        "Exit status 0 where the Celery worker of this node lives and takes messages, else 1 with the reason."
    )

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("worker", help="the name before the point in its -n option: capture, analysis, …")

    def handle(self, *args: Any, **options: Any) -> None:
        reason = unready(f"worker:{options['worker']}.{settings.VANTAGE_NODE}@")
        if reason:
            self.stderr.write(reason)
            raise SystemExit(1)
        self.stdout.write("ready")


def unready(prefix: str) -> str:
    """Why the newest worker of this name is not ready; empty where it is."""
    row = ProcessLease.objects.filter(name__startswith=prefix).order_by("-renewed_at").first()
    if row is None or row.until < clock.now():
        return "no such worker has told of itself lately"
    age = float(row.detail.get("probe_age", 0))
    if age > settings.VANTAGE_PROBE_LIMIT:
        return f"it has taken no message for {age:.0f} s"
    return ""
