"""Kinds of several rooms that go by whole months: their tables are partitioned by time-ordered ids."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core import retention

KINDS = {
    "raw_event": ("events_rawevent", _("Raw events")),
    "trace": ("strategies_trace", _("Traces")),
    "slot": ("analysis_captureslot", _("Capture slots")),
    "attempt": ("openapi_attempt", _("Delivery attempts")),
}


def register() -> None:
    """Called once when the applications are ready."""
    for name, (table, label) in KINDS.items():
        retention.kinds.add(name, retention.Partitions(table, label))
