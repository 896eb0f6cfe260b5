"""The devices room hears of grants."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import Grant
from apps.devices.services.access import compile_access


def on_grant_changed(sender: Any, grant: Grant, **extra: Any) -> None:
    """Compile the grant's access again, in the same transaction."""
    compile_access(grant)


def on_seal_broken(sender: Any, row: Any, **extra: Any) -> None:
    """A grant that was made or changed past the product: what was compiled from it goes at once, for every page."""
    if isinstance(row, Grant):
        compile_access(row)
