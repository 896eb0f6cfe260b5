"""The one way to read: every queryset of a product model answers `visible_to(principal, action)`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import Q

from apps.core import clock

M = TypeVar("M", bound=models.Model)


class VisibleQuerySet(models.QuerySet[M]):
    """Base queryset: deny by default, a room says in `visible_q` what a principal may see."""

    #: Whether the three separated administrators see these rows; business rows do not exist for them.
    administrative: ClassVar[bool] = False

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        """The condition for this principal, action and moment; None means nothing is visible."""
        raise NotImplementedError(f"{self.model.__name__} does not say who may see it")

    def visible_to(self, principal: Any, action: str = "view", *, at: datetime | None = None) -> Self:
        """Rows on which `principal` may perform `action` at `at` (default now); nobody sees nothing."""
        if principal is None:
            return self.none()
        if principal.kind == "system":
            return self.all()
        if getattr(principal, "is_separated", False) and not self.administrative:
            return self.none()
        condition = self.visible_q(principal, action, at or clock.now())
        return self.none() if condition is None else self.filter(condition)
