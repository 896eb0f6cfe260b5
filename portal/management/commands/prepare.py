"""`prepare`: what must be there before the processes of a site start: key file, migrations, the bucket for media."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Safe to run again, and by several machines one after the other."""

    help = "Migrate, and make the bucket for media where an object store is set up."

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 with the cause."""
        if not Path(settings.VANTAGE_KEY_FILE).is_file():
            raise CommandError(
                "VANTAGE_KEY_FILE names no file: make one with make_key, and keep a copy apart"
            )
        call_command("migrate", interactive=False, stdout=self.stdout)
        if hasattr(default_storage, "bucket_name"):
            self._bucket()

    def _bucket(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        name = default_storage.bucket_name  # type: ignore[attr-defined]
        client = default_storage.connection.meta.client  # type: ignore[attr-defined]
        try:
            client.head_bucket(Bucket=name)
            return
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise CommandError(f"the bucket {name} cannot be used: {error}") from None
        except BotoCoreError as error:
            raise CommandError(f"the object store does not answer: {error}") from None
        client.create_bucket(Bucket=name)
        self.stdout.write(f"made the bucket {name}")
