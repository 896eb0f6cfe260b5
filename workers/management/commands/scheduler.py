"""`manage.py scheduler`: plans, places, relays and fires what recurs; a second one waits as a hot standby."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from workers.management.leader import Leader
from workers.management.stopping import ended_by_signal


class Command(BaseCommand):
    help = "Run the scheduler: planner, placement, outbox relay, recurring tasks. One leads, others wait."

    requires_system_checks: list[str] = []  # the web checks them; a worker starts fast

    def handle(self, *args: Any, **options: Any) -> None:
        Leader().run(ended_by_signal())
