"""Who sees events: the camera's managers, the organisations served, and holders of a subscribe grant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef, Q

from apps.core.sealing import BROKEN
from apps.core.visibility import VisibleQuerySet
from apps.devices.querysets import managed_q

#: Keyed hashes of links that count: neither missing nor found broken (see `check_event_type_links`).
COUNTS = f"^[^{BROKEN}]"


def _subscribed(principal: Any, at: datetime, *, camera: str, event_type: str, moment: str) -> Exists:
    """A valid subscribe grant on this camera and this event type, from its history_from on."""
    return Exists(
        apps.get_model("devices", "CameraAccess").objects.filter(
            camera_id=OuterRef(camera),
            principal_id__in=principal.ids,
            action="subscribe",
            valid_from__lte=at,
            valid_to__gt=at,
            history_from__lte=OuterRef(moment),
            grant__event_type_links__event_type_id=OuterRef(event_type),
            grant__event_type_links__mac__regex=COUNTS,
        )
    )


class _DistinctQuerySet(VisibleQuerySet[Any]):
    """A person limited to directories may match a camera in two of them: rows are then made distinct."""

    def visible_to(self, principal: Any, action: str = "view", *, at: datetime | None = None) -> Any:
        """As in VisibleQuerySet."""
        rows = super().visible_to(principal, action, at=at)
        if getattr(principal, "limited_to_directories", False):
            return self.filter(pk__in=rows.values("pk"))
        return rows


class EventQuerySet(_DistinctQuerySet):
    """Being allowed to watch a camera shows nobody else's events on it."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        audience = apps.get_model("events", "EventAudience").objects.filter(
            event_id=OuterRef("pk"), organisation_id=principal.organisation_id
        )
        return (
            managed_q(principal, "camera__")
            | Q(Exists(audience))
            | Q(_subscribed(principal, at, camera="camera_id", event_type="event_type_id", moment="time"))
        )

    def listed(self) -> Any:
        """With what a list row shows."""
        return self.select_related(
            "camera__managing_organisation", "event_type", "algorithm_version__algorithm"
        )


class OnEventQuerySet(VisibleQuerySet[Any]):
    """Reviews, occurrences and locks are seen with their event."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        visible = apps.get_model("events", "Event").objects.all().visible_to(principal, action, at=at)
        return Q(event_id__in=visible.values("pk"))


class RawEventQuerySet(_DistinctQuerySet):
    """A raw event: the camera's managers, the organisations whose units it names, subscribe grants."""

    def visible_q(self, principal: Any, action: str, at: datetime) -> Q | None:
        return (
            managed_q(principal, "camera__")
            | Q(organisations__contains=[principal.organisation_id])
            | Q(_subscribed(principal, at, camera="camera_id", event_type="event_type_id", moment="time"))
        )
