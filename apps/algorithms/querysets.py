"""Who sees algorithms: what is on the shelf everybody, what is not its managers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from apps.accounts.querysets import under
from apps.core.visibility import VisibleQuerySet


class ShelfQuerySet(VisibleQuerySet[Any]):
    """Algorithms, versions, packages, event types: the market is open to every principal of the platform."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return Q()


class PackageQuerySet(VisibleQuerySet[Any]):
    """Checked packages are public; unchecked ones are seen by who manages packages where they were uploaded."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        ready = Q(state="ready")
        return ready | under(principal, "organisation__") if principal.can("packages.manage") else ready
