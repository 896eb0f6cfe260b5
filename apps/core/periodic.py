"""Work that recurs: rooms declare it in their apps.py; the scheduler's leader sends each task when it is due."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.registry import Registry
from apps.core.wake import WakeableTask


@dataclass(frozen=True, slots=True)
class Periodic:
    """A Celery task without arguments, sent every `seconds`; it may run twice and must then do nothing new."""

    task: WakeableTask
    seconds: float


schedule: Registry[Periodic] = Registry("periodic task")
