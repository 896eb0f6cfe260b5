"""`./vantage manage retry_runs`: strategy runs that were given up are tried again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from apps.accounts.permissions import SYSTEM
from apps.strategies.services import retry_failed


class Command(BaseCommand):
    help = "Put strategy runs that failed, or whose process died, three times back into the queue."

    def handle(self, *args: Any, **options: Any) -> None:
        count = retry_failed(principal=SYSTEM)
        self.stdout.write(_("%(count)d failed runs are tried again.") % {"count": count})
