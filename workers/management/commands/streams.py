"""`manage.py streams`: the stream holder and agent of this node."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from workers.management.stopping import ended_by_signal
from workers.streams import Streams


class Command(BaseCommand):
    help = "Hold this node's streams: frames for live analysis, pictures for viewers, a heartbeat every 5 s."
    requires_system_checks: list[str] = []  # the web checks them; a worker starts fast

    def handle(self, *args: Any, **options: Any) -> None:
        Streams().run(ended_by_signal())
