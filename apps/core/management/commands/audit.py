"""`audit verify | checkpoint | restored`: is the audit trail whole?"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.audit import accept_loss, checkpoint, verify
from apps.core.audit.verifying import REASONS


class Command(BaseCommand):
    """verify: exit 0 when the chain holds, 1 with the number of the first broken record."""

    help = "Verify the audit chain, write a checkpoint, or note what a restore lost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do; a loss needs a reason."""
        parser.add_argument("verb", choices=["verify", "checkpoint", "restored"])
        parser.add_argument("--reason", default="", help="with restored: why records after the head are lost")

    def handle(self, *args: Any, **options: Any) -> None:
        """One verb."""
        {"verify": self._verify, "checkpoint": self._checkpoint, "restored": self._restored}[options["verb"]](
            options
        )

    def _verify(self, options: dict[str, Any]) -> None:
        verdict = verify()
        if verdict.broken_seq is not None:
            raise CommandError(
                f"broken at record {verdict.broken_seq}: {verdict.reason}, {REASONS[verdict.reason]} "
                f"({verdict.checked} records before it hold)"
            )
        self.stdout.write(f"the chain holds: {verdict.checked} records, {verdict.checkpoints} checkpoints")
        if not verdict.checkpoints:
            self.stderr.write("no checkpoint outside the database: a cut end would not be seen")

    def _checkpoint(self, options: dict[str, Any]) -> None:
        made = checkpoint()
        self.stdout.write(f"checkpoint at record {made.seq}" if made else "nothing new since the last one")

    def _restored(self, options: dict[str, Any]) -> None:
        if not options["reason"].strip():
            raise CommandError("say why with --reason")
        made = accept_loss(options["reason"])
        self.stdout.write(f"noted: the chain goes on after record {made.seq}")
