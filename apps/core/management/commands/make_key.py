"""`make_key FILE`: a key file for production."""

from __future__ import annotations

import base64
import os
import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Writes a line `site-1:<32 random bytes in base64>` into a new file of mode 0600."""

    help = "Make the file VANTAGE_KEY_FILE names."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to write; how the key is called."""
        parser.add_argument("file")
        parser.add_argument("--id", default="site-1")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuses to overwrite: a lost key is lost data."""
        try:
            descriptor = os.open(options["file"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise CommandError(f"{options['file']} exists; a key is never overwritten") from None
        with os.fdopen(descriptor, "w") as handle:
            handle.write(f"{options['id']}:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
        self.stdout.write(f"VANTAGE_KEY_FILE={options['file']}")
