"""Looks after the media storage of this machine: its reserve, its alarms, and what waits to be uploaded."""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from apps.core.wake import Sleeper
from apps.devices.services.storage import Space, Uploaded, keep_reserve, report_storage, upload_spooled

logger = logging.getLogger(__name__)
LOOK_SECONDS = 3.0


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
