"""Telling of a change: the domain signal for higher rooms, the push for open pages."""

from __future__ import annotations

from typing import Any

from apps.core.realtime.push import push
from apps.events.choices import Phase
from apps.events.models import Event
from apps.events.services.summary import event_summary, event_topics
from apps.events.signals import event_changed


def tell(event: Event, *, kind: str, phase: Phase, **more: Any) -> None:
    """Signal and push; call inside the transaction of the change."""
    event_changed.send(sender=Event, event=event, phase=phase, kind=kind, **more)
    show(event, kind)


def show(event: Event, kind: str) -> None:
    """Push to open pages only."""
    push(f"event.{kind}", event.pk, event_summary(event), event_topics(event))
