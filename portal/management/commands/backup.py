"""`backup FILE`: one archive of the database and the list of stored files."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.backup.errors import BackupError
from portal.backup.make import make_backup


class Command(BaseCommand):
    """Runs beside a working Vantage; see docs/operator.md."""

    help = "Write one archive: database, list of stored files with hashes, head of the audit chain."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, and what more."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--with-media", action="store_true", help="the stored files too")
        parser.add_argument("--with-keys", action="store_true", help="the key file too: guard the archive")
        parser.add_argument("--json", action="store_true", help="print the manifest")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 with the cause where there is no archive."""
        say = self.stderr.write if options["json"] else self.stdout.write
        try:
            manifest = make_backup(
                options["file"].absolute(),
                with_media=options["with_media"],
                with_keys=options["with_keys"],
                say=say,
            )
        except BackupError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(manifest, ensure_ascii=False))
            return
        files, rows = manifest["files"], sum(manifest["tables"].values())
        self.stdout.write(
            f"backup: {options['file']}: {rows} rows, {files['files']} files listed"
            f" ({'included' if files['included'] else 'not included: copy them by your own means'}),"
            f" audit record {manifest['audit']['seq']},"
            f" keys {'INCLUDED' if manifest['keys']['included'] else 'not included'}"
        )
