"""`restore FILE`: the archive back into an empty database, compared with its manifest."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.backup.errors import BackupError
from portal.backup.restore import restore_backup
from portal.backup.verify import Report


class Command(BaseCommand):
    """Exit 0 where everything is as the archive says; 1 otherwise."""

    help = "Put an archive back and compare the result with it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, and whether what is there may go."""
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--replace", action="store_true", help="empty the database first: what is there is lost"
        )
        parser.add_argument("--logs", type=Path, help="folder of logs that may name events after the backup")
        parser.add_argument("--json", action="store_true", help="print the report")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore, then say what holds, what differs, what is lost."""
        say = self.stderr.write if options["json"] else self.stdout.write
        try:
            report = restore_backup(
                options["file"].absolute(), replace=options["replace"], logs=options["logs"], say=say
            )
        except BackupError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps({"ok": report.holds, **asdict(report)}, ensure_ascii=False))
        else:
            self._show(report)
        if not report.holds:
            raise CommandError("the restored database is not what the archive says")

    def _show(self, report: Report) -> None:
        self.stdout.write(
            f"restore: {report.rows} rows, {report.audit_records} audit records, {report.files} files compared"
        )
        for fault in report.faults:
            self.stdout.write(f"DIFFERS  {fault}")
        if report.lost:
            self.stdout.write(
                f"after the backup of {report.made_at}, and therefore missing: {len(report.lost)}"
            )
        for lost in report.lost[:200]:
            self.stdout.write(f"MISSING  {lost.kind} {lost.id} of {lost.at} (known from {lost.witness})")
        if len(report.lost) > 200:
            self.stdout.write(f"MISSING  … and {len(report.lost) - 200} more: --json lists all")
        for note in report.notes:
            self.stdout.write(f"note     {note}")
