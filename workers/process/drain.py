"""Ending a Celery worker within seconds: SIGTERM asks its children to finish or to give back what they hold.

The flag lies in memory that the pool's children share with their parent (made before they are forked): a task that
would take long looks at it and leaves. What still runs after PATIENCE is cancelled, and its message goes back.
"""

from __future__ import annotations

import logging
import mmap
import os
import signal
import threading
import time
from typing import Any

logger = logging.getLogger(__name__)
PATIENCE = 5.0
_flag = mmap.mmap(-1, 1)


def is_draining() -> bool:
    """True once this process, or the worker it is a child of, was told to end."""
    return _flag[0] == 1


def start(**_signal: Any) -> None:
    """Celery's `worker_shutting_down`: raise the flag; after PATIENCE turn the warm end into a cold one."""
    if is_draining():
        return
    _flag[0] = 1
    threading.Thread(target=_insist, args=(os.getpid(),), name="drain", daemon=True).start()


def reset() -> None:
    """Lower the flag (a process that begins to work, and tests)."""
    _flag[0] = 0


def _insist(pid: int) -> None:
    """SIGQUIT cancels what runs and gives its messages back to the broker."""
    time.sleep(PATIENCE)
    logger.warning("worker: tasks still run %.0f s after the end was asked for: they go back", PATIENCE)
    os.kill(pid, signal.SIGQUIT)
