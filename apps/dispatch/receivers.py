"""What operations keeps of other rooms' news: a line in the log for each event."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction

from apps.core.trace import trace_of
from apps.events.models import Event

logger = logging.getLogger(__name__)


def on_event_changed(sender: Any, event: Event, kind: str, **more: Any) -> None:
    """A raised event is logged once it is committed: a restore reads these lines to say what a backup lacks."""
    if kind == "raised":
        trace = trace_of(event.camera_id, event.preset, event.time)
        ids = {"trace": trace, "event": event.pk, "camera": event.camera_id}
        transaction.on_commit(lambda: logger.info("event raised", extra=ids), robust=True)
