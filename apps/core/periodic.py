"""Work that recurs: rooms declare it in their apps.py; the scheduler's leader sends each task when it is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from apps.core.registry import Registry
from apps.core.wake import WakeableTask


@dataclass(frozen=True, slots=True)
class Periodic:
    """A Celery task without arguments, sent every `seconds`; it may run twice and must then do nothing new.

    `missed` says what becomes of slots that passed while nobody led: `once` sends the task once for all of them,
    `skip` waits for the next slot, `all` sends it for each.
    """

    task: WakeableTask
    seconds: float
    missed: Literal["skip", "once", "all"] = "once"


schedule: Registry[Periodic] = Registry("periodic task")
