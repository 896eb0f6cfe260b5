"""Listening to the signals and pushes of the events room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apps.core.models import OutboxMessage
from apps.events.signals import event_changed


@contextmanager
def heard() -> Iterator[list[tuple[str, str]]]:
    """(kind, phase) of every event_changed while the block runs."""
    news: list[tuple[str, str]] = []

    def hear(sender: Any, kind: str, phase: str, **rest: Any) -> None:
        news.append((kind, str(phase)))

    event_changed.connect(hear)
    try:
        yield news
    finally:
        event_changed.disconnect(hear)


def pushes() -> list[dict[str, Any]]:
    """Payloads of the pushes that wait in the outbox, oldest first."""
    return [row.payload for row in OutboxMessage.objects.filter(topic="push").order_by("id")]
