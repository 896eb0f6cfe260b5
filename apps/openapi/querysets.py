"""Who sees apps, subscriptions and deliveries: their organisation and those above it; an App only its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from apps.core.visibility import VisibleQuerySet


class AppQuerySet(VisibleQuerySet[Any]):
    """Apps of one's organisation; an App sees itself."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        if principal.kind == "app":
            return Q(pk=principal.id)
        return Q(organisation__path__startswith=principal.organisation_path)


class OfAppQuerySet(VisibleQuerySet[Any]):
    """Rows with an `app` foreign key."""

    prefix = "app"

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        if principal.kind == "app":
            return Q(**{f"{self.prefix}_id": principal.id})
        return Q(**{f"{self.prefix}__organisation__path__startswith": principal.organisation_path})


class OfSubscriptionQuerySet(OfAppQuerySet):
    """Deliveries."""

    prefix = "subscription__app"


class OfDeliveryQuerySet(OfAppQuerySet):
    """Attempts."""

    prefix = "delivery__subscription__app"


class ServiceQuerySet(VisibleQuerySet[Any]):
    """The catalogue of services is public inside the platform."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return Q()
