"""Brings the demo's database up to date in one process: migrations, then the demo city."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    """Used by `./vantage demo`; safe to run again."""

    help = __doc__
    requires_system_checks: list[str] = []  # the web checks them; a second start stays short

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--media", type=Path, default=None, help="folder of real clips and models")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.VANTAGE_DEMO:
            raise CommandError("these are not the demo's settings; nothing was changed")
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            self.stdout.write(f"database: applying {len(plan)} migrations")
            call_command("migrate", interactive=False, verbosity=0, stdout=self.stdout)
        self.stdout.write("demo city: preparing")
        call_command("seed_demo", media=options["media"], stdout=self.stdout)
