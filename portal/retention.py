"""Kinds of several rooms: what goes by whole months (tables partitioned by time-ordered ids), and deliveries."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core import retention
from apps.events.services.ageing import EventKind
from apps.openapi.services.ageing import DeliveryKind

_LOCKED = "l.released_at IS NULL AND l.ends_at > %(now)s"
"""A lock `l` that holds now."""


def _locked_at(column: str) -> str:
    """SQL: the row's camera is locked at the moment in this column."""
    return (
        f"EXISTS (SELECT 1 FROM devices_medialock l WHERE {_LOCKED} "  # noqa: S608 - own words
        f"AND l.camera_id = t.camera_id AND t.{column} BETWEEN l.frames_from AND l.frames_to)"
    )


_OF_LOCKED_EVENT = (
    "EXISTS (SELECT 1 FROM openapi_delivery d JOIN events_event e ON e.id = d.event_id "  # noqa: S608 - own words
    f"JOIN devices_medialock l ON l.camera_id = e.camera_id WHERE {_LOCKED} AND d.id = t.delivery_id "
    "AND l.frames_from <= e.last_seen AND l.frames_to >= e.first_seen)"
)

PARTITIONED = {
    "raw_event": ("events_rawevent", _("Raw events"), _locked_at("time")),
    "trace": ("strategies_trace", _("Traces"), _locked_at("time")),
    "slot": ("analysis_captureslot", _("Capture slots"), _locked_at("planned_at")),
    "attempt": ("openapi_attempt", _("Delivery attempts"), _OF_LOCKED_EVENT),
}


def register() -> None:
    """Called once when the applications are ready."""
    retention.kinds.add("event", EventKind())
    for name, (table, label, locked) in PARTITIONED.items():
        retention.kinds.add(name, retention.Partitions(table, label, locked))
    retention.kinds.add("delivery", DeliveryKind())
