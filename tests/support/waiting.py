"""Waiting in tests for what other threads and processes do: always for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def wait_until(condition: Callable[[], Any], seconds: float = 30.0) -> bool:
    """True as soon as the condition holds; False when it did not within that time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.01)
    return False


def until(check: Callable[[], Any], seconds: float, what: str) -> Any:
    """Ask every 0.1 s until `check` gives something true, and return it; AssertionError after `seconds`."""
    ends = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < ends, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.1)
    return found
