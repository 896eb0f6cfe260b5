"""Is this Celery worker still fed? A worker can live, hold its connection and yet take nothing any more.

Every worker has a queue of its own. Its watchdog puts a probe there through a connection of its own; the worker's
consumer must take it like any other message. Nothing taken for LIMIT seconds although the broker took the probe: the
worker's row says so (`readiness` fails) and the process ends, so that its supervisor starts a fresh one.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import Any

from celery import Celery, shared_task
from django.conf import settings
from django.db import close_old_connections, connection

from apps.core import leases
from workers.process.queues import probes

logger = logging.getLogger(__name__)
EVERY, LIMIT = settings.VANTAGE_PROBE_SECONDS, settings.VANTAGE_PROBE_LIMIT
LONGEST_TASK = 150.0
"""The hard limit of a task: while every child is busy that long, nothing is taken and nothing is wrong."""
LEASE_SECONDS = 45.0


@shared_task(name="process.probe", ignore_result=True)
def probe() -> None:
    """Nothing: what counts is that it was taken."""


class Watchdog:
    """Lives in the worker's main process; `taken` is told of every message, `look` decides."""

    def __init__(self, app: Celery, hostname: str, concurrency: int) -> None:
        self.app, self.hostname, self.concurrency = app, hostname, concurrency
        self._lock = threading.Lock()
        self._taken_at = time.monotonic()
        self._asked_at: float | None = None
        self._told = False
        self._ended = threading.Event()

    def taken(self) -> None:
        """A message of any kind was taken."""
        with self._lock:
            self._taken_at, self._asked_at = time.monotonic(), None

    def asked(self) -> None:
        """The broker accepted a probe."""
        with self._lock:
            if self._asked_at is None:
                self._asked_at = time.monotonic()

    def age(self) -> float:
        """Seconds since the oldest probe that nobody has taken; 0 while none waits."""
        with self._lock:
            return 0.0 if self._asked_at is None else time.monotonic() - self._asked_at

    def is_starved(self, active: int) -> bool:
        """True when a probe has waited too long and the worker is not simply busy (`active` tasks)."""
        busy = LONGEST_TASK if active >= self.concurrency else 0.0
        return self.age() > LIMIT + busy

    def start(self) -> None:
        """Watch in a thread of its own."""
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """The worker ends by itself."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(EVERY):
            self._ask()
            self._report()
            if self.is_starved(_active()):
                logger.error("worker %s takes no messages for %.0f s: it ends", self.hostname, self.age())
                os.kill(os.getpid(), signal.SIGKILL)

    def _ask(self) -> None:
        try:
            with self.app.connection_for_write(transport_options=_IMPATIENT) as own:
                probe.apply_async(
                    connection=own, queue=probes(self.hostname), expires=10 * LIMIT, retry=False
                )
        except Exception as error:  # the broker is away: that is not this worker's fault
            logger.warning("watchdog: probe not sent: %s", type(error).__name__)
            return
        self.asked()

    def _report(self) -> None:
        """The worker's lease row: that it lives, and how long its probe has waited."""
        try:
            close_old_connections()
            detail = {"probe_age": round(self.age(), 1), "node": settings.VANTAGE_NODE, "pid": os.getpid()}
            leases.take(f"worker:{self.hostname}:{os.getpid()}"[-100:], seconds=LEASE_SECONDS, detail=detail)
            if not self._told:  # a worker of this name that died is no longer of interest
                self._told = True
                leases.forget(f"worker:{self.hostname}:")
        except Exception as error:
            logger.warning("watchdog: row not written: %s", type(error).__name__)
            connection.close()


_IMPATIENT = {"socket_timeout": 5, "socket_connect_timeout": 5}
_watchdog: Watchdog | None = None


def _active() -> int:
    from celery.worker import state

    return len(state.active_requests)


def begin(sender: Any = None, **_signal: Any) -> None:
    """Celery's `worker_ready`: begin to watch."""
    global _watchdog
    _watchdog = Watchdog(sender.app, sender.hostname, sender.pool.num_processes)
    _watchdog.start()


def note(**_signal: Any) -> None:
    """Celery's `task_received`: something was taken."""
    if _watchdog is not None:
        _watchdog.taken()


def end(**_signal: Any) -> None:
    """Celery's `worker_shutting_down`."""
    if _watchdog is not None:
        _watchdog.stop()
