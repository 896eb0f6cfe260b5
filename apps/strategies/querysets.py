"""Who sees strategies and traces."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from apps.core.visibility import VisibleQuerySet
from apps.devices.querysets import managed_q


class StrategyQuerySet(VisibleQuerySet[Any]):
    """Strategies of one's organisation and below; the platform's own are readable by everybody."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        own = Q(organisation__path__startswith=principal.organisation_path)
        return own if action == "change" else own | Q(is_shared=True)


class OnStrategyQuerySet(VisibleQuerySet[Any]):
    """Versions and bindings with their strategy."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        own = Q(strategy__organisation__path__startswith=principal.organisation_path)
        return own if action == "change" else own | Q(strategy__is_shared=True)


class TraceQuerySet(VisibleQuerySet[Any]):
    """A trace: the camera's managers and the organisations its raw event served."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return managed_q(principal, "camera__") | Q(organisations__contains=[principal.organisation_id])

    def visible_to(self, principal: Any, action: str = "view", *, at: datetime | None = None) -> Any:
        """As in VisibleQuerySet; made distinct for a person limited to directories."""
        rows = super().visible_to(principal, action, at=at)
        if getattr(principal, "limited_to_directories", False):
            return self.filter(pk__in=rows.values("pk"))
        return rows
