"""The writer: one process of the site takes results from Redis and writes them in batches."""

from __future__ import annotations

import logging
import threading
import time

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection

from apps.core import leases
from workers.writer.results import FrameResults, bury, done, recover, take_batch
from workers.writer.store import write_batch

logger = logging.getLogger(__name__)
LEASE = "writer"
LEASE_SECONDS = 10.0
RENEW_SECONDS = 2.0


class Writer:
    """`run` until `ended`; a second writer waits as a hot standby for the lease."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._renewed = 0.0
        self._leads = False
        self._fence = 0
        self._written = 0

    def run(self, ended: threading.Event) -> None:
        """Never raises for a lost database or broker: it waits and tries again; nothing is taken off before."""
        self._ended = ended
        while not ended.is_set():
            try:
                if not self._lead():
                    ended.wait(1.0)
                    continue
                self.step()
            except (OperationalError, InterfaceError) as error:
                logger.warning("writer: database away: %s", error)
                self._leads = False
                connection.close()
                ended.wait(1.0)
            except Exception as error:
                logger.warning("writer: %s: %s", type(error).__name__, error)
                self._leads = False
                ended.wait(1.0)
        if self._leads:
            leases.release(LEASE)

    def _lead(self) -> bool:
        if self._leads and time.monotonic() - self._renewed < RENEW_SECONDS:
            return True
        close_old_connections()
        before, self._renewed = (self._leads, self._fence), time.monotonic()
        fence = leases.take(LEASE, seconds=LEASE_SECONDS, detail={"written": self._written})
        self._leads, self._fence = fence is not None, fence or 0
        if self._leads and before != (True, self._fence):  # another fence: somebody else led in between
            number = recover()
            logger.info("writer: took the lease, %d results put back", number)
        return self._leads

    def step(self, idle: float = 1.0) -> int:
        """Take one batch and write it; returns how many frames' results were in it."""
        values = take_batch(idle=idle, fence=self._fence)
        if not values:
            return 0
        batch = []
        for value in values:
            try:
                batch.append(FrameResults.unpacked(value))
            except ValueError:
                logger.error("writer: a value that is no result was put aside")
                bury(value)
        try:
            write_batch(batch)
        except (OperationalError, InterfaceError):
            raise
        except (DatabaseError, LookupError, ValueError, TypeError, OSError):
            logger.exception("writer: a batch of %d failed, trying one by one", len(batch))
            if not self._one_by_one(batch):
                return 0  # it stays taken; the next writer puts it back
        done(self._fence)
        self._written += len(batch)
        return len(values)

    def _one_by_one(self, batch: list[FrameResults]) -> bool:
        """False when told to end before all were written; writing those again changes nothing."""
        for item in batch:
            if self._ended.is_set():
                return False
            try:
                write_batch([item])
            except (OperationalError, InterfaceError):
                raise
            except (DatabaseError, LookupError, ValueError, TypeError, OSError):
                logger.exception("writer: results of camera %s put aside", item.camera)
                bury(item.packed())
        return True
