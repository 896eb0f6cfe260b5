"""`import_package FILE`: upload, check and register a package from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import Organisation
from apps.accounts.permissions import SYSTEM
from apps.algorithms.services import check_package, upload_package
from apps.core.errors import Refusal


class Command(BaseCommand):
    """Prints the report; exit 1 when the package is rejected."""

    help = "Import an algorithm package (.zip)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """File, owner, and a folder with model files that the package only names."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--organisation", help="code of the owning organisation (default: the first)")
        parser.add_argument(
            "--models", type=Path, help="folder with model files named by SHA-256 in the manifest"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Upload, then check at once."""
        wanted = {"code": options["organisation"]} if options["organisation"] else {"depth": 1}
        organisation = Organisation.objects.filter(**wanted).first()
        if organisation is None:
            raise CommandError("there is no such organisation")
        try:
            package = upload_package(
                by=SYSTEM,
                path=options["file"],
                file_name=options["file"].name,
                organisation=organisation,
                models=options["models"],
            )
        except Refusal as refusal:
            raise CommandError(str(refusal.message)) from None
        package = check_package(package)
        for rule in package.report.get("rules", []):
            mark = "ok " if rule["passed"] else "NO "
            self.stdout.write(
                f"{mark} {rule['title']}: {rule['message']} {'' if rule['passed'] else rule['mend']}"
            )
        if package.state != "ready":
            raise CommandError("the package was rejected")
        self.stdout.write(f"ready {package.fingerprint}")
