"""`manage.py streams`: the stream holder and agent of this node, replaced by a younger one before it is too large."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from workers.management.succession import Life, become_parent, own_command


class Command(BaseCommand):
    help = "Hold this node's streams: frames for live analysis, pictures for viewers, a heartbeat every 5 s."
    requires_system_checks: list[str] = []  # the web checks them; a worker starts fast

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--viewers",
            action="store_true",
            help="only for players and pictures of the web process on this machine; no node, no analysis",
        )
        parser.add_argument("--child", action="store_true", help="the holder itself, started by its parent")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["child"]:
            from workers.streams import Streams  # the parent does without its libraries

            Streams(only_viewers=options["viewers"]).live_as(Life())
            return
        become_parent(
            own_command("streams", "--child", *(["--viewers"] if options["viewers"] else [])),
            max_megabytes=settings.VANTAGE_STREAMS_MB,
            max_seconds=settings.VANTAGE_STREAMS_HOURS * 3600,
        )
