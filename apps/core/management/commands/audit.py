"""`audit verify`: walk the audit chain and name the first broken row."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.audit import verify


class Command(BaseCommand):
    """Exit 0 when the chain holds, 1 with the number of the first broken row."""

    help = "Verify the audit chain."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One verb for now."""
        parser.add_argument("verb", choices=["verify"])

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the verdict."""
        verdict = verify()
        if verdict.broken_seq is not None:
            raise CommandError(
                f"broken at record {verdict.broken_seq}: {verdict.reason} ({verdict.checked} hold)"
            )
        self.stdout.write(f"the chain holds: {verdict.checked} records")
