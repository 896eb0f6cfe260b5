"""Ending a long process politely: SIGTERM and SIGINT set an event."""

from __future__ import annotations

import signal
import threading


def ended_by_signal() -> threading.Event:
    """An event that SIGTERM or SIGINT sets; call in the main thread."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    return ended
