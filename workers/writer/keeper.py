"""Looks after the media storage of this machine: its reserve, its alarms, and what waits to be uploaded."""

from __future__ import annotations

import logging
import os
import threading

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from apps.core.wake import Sleeper
from apps.devices.services.storage import (
    Space,
    Uploaded,
    is_remote,
    keep_reserve,
    report_storage,
    upload_spooled,
)

logger = logging.getLogger(__name__)
LOOK_SECONDS = 3.0
_keeping: tuple[int, threading.Thread] | None = None


def keep_in_background() -> None:
    """In a process that only now and then writes pictures, as a child that captures: keep its machine's spool empty.

    Without an object store nothing is spooled, and nothing happens.
    """
    global _keeping
    if not is_remote():
        return
    if _keeping is None or _keeping[0] != os.getpid() or not _keeping[1].is_alive():
        thread = threading.Thread(
            target=StorageKeeper().run, args=(threading.Event(),), name="media", daemon=True
        )
        _keeping = (os.getpid(), thread)
        thread.start()


class StorageKeeper:
    """`run` until `ended`, beside the processes of a machine that write pictures; several may run at once."""

    def run(self, ended: threading.Event) -> None:
        """Never raises: a lost database or store is met again at the next look."""
        sleeper = Sleeper("media")
        while not ended.is_set():
            try:
                self.step()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("media storage: database: %s", error)
                connection.close()
            except Exception:
                logger.exception("media storage: a look failed")
            sleeper.sleep(LOOK_SECONDS)

    def step(self) -> Uploaded:
        """One look."""
        space: Space | None
        try:
            space = keep_reserve()
        except OSError as error:
            logger.error("media storage: %s", error)
            space = None
        uploaded = upload_spooled()
        report_storage(node=settings.VANTAGE_NODE, space=space, uploaded=uploaded)
        return uploaded
