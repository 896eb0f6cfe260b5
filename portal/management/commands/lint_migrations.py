"""`lint_migrations`: may each migration run while the version before still works?"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.loader import MigrationLoader

from portal.migrating.rules import faults_of


class Command(BaseCommand):
    """Exit 1 with each fault; needs no database."""

    help = "Check the rules of portal/migrating/rules.py on every migration of our own."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """One line per fault: app.name: operation: what to do."""
        loader = MigrationLoader(None)
        own = {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
        faults, number = [], 0
        for app, name in sorted(key for key in loader.disk_migrations if key[0] in own):
            number += 1
            before = loader.project_state((app, name), at_end=False)
            found = faults_of(loader.disk_migrations[app, name], before)
            faults += [f"{app}.{name}: {fault}" for fault in found]
        if faults:
            raise CommandError("\n".join(faults))
        self.stdout.write(f"{number} migrations may run beside the version before")
