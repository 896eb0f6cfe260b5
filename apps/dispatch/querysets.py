"""Machines are seen by those who run them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from apps.core.visibility import VisibleQuerySet


class NodeQuerySet(VisibleQuerySet[Any]):
    """Holders of `operations.view`, the system administrator among them."""

    administrative = True

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return Q() if principal.can("operations.view") else None
