"""What the strategies room does on news of others."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.strategies.services import queue_runs


def on_raw_events_recorded(sender: Any, ids: list[UUID], **rest: Any) -> None:
    """Every new raw event waits for its strategy."""
    queue_runs(ids)
