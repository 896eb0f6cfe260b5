"""Makes the demo city; only under the demo's settings."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from demo.city import make_city


class Command(BaseCommand):
    """Safe to run again: what is there stays."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Real clips and models are taken from --media."""
        parser.add_argument("--media", type=Path, default=None)

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse outside the demo: these accounts and pictures are invented."""
        if not settings.VANTAGE_DEMO:
            raise CommandError("these are not the demo's settings; nothing was changed")
        make_city(media=options["media"], say=self.stdout.write)
