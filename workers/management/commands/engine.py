"""`manage.py engine`: the inference process of this node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from workers.engine import EngineOptions, run
from workers.vision.inference.server import SocketTaken


class Command(BaseCommand):
    help = "Run the inference engine of this node behind its Unix socket."
    requires_system_checks: list[str] = []  # no database and no web: it must start whatever state they are in

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--socket", type=Path, default=Path(settings.VANTAGE_ENGINE_SOCKET))
        parser.add_argument("--threads", type=int, default=settings.VANTAGE_ENGINE_THREADS)
        parser.add_argument("--model-mb", type=int, default=2048, help="memory for opened models")
        parser.add_argument("--state-mb", type=int, default=512, help="memory for stateful executions")
        parser.add_argument(
            "--children", choices=("auto", "yes", "no"), default="auto", help="one process per model group"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run(
                EngineOptions(
                    socket=options["socket"],
                    threads=options["threads"],
                    model_bytes=options["model_mb"] * 2**20,
                    state_bytes=options["state_mb"] * 2**20,
                    children={"auto": None, "yes": True, "no": False}[options["children"]],
                )
            )
        except SocketTaken as error:
            self.stderr.write(_("The engine did not start: %(cause)s.") % {"cause": error})
            raise SystemExit(1) from error
