"""`manage.py courier`: the writer (results → PostgreSQL) and the delivery process side by side."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
import time
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.urls import reverse

from workers.delivery import DeliveryProcess
from workers.management.stopping import ended_by_signal
from workers.writer import Writer
from workers.writer.keeper import StorageKeeper

logger = logging.getLogger(__name__)
STOP_SECONDS = 8.0
"""The supervisor kills after 10 s."""

#: Thousands of rows and messages pass through a batch and are gone after it: look for cycles less often than after 700.
GARBAGE = 10_000


class Command(BaseCommand):
    help = "Write results and send deliveries. --only writer or --only delivery runs one of them."

    requires_system_checks: list[str] = []  # the web checks them; a worker starts fast

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", choices=("writer", "delivery"))

    def handle(self, *args: Any, **options: Any) -> None:
        ended = ended_by_signal()
        threads = []
        if options["only"] != "delivery":
            threads.append(threading.Thread(target=Writer().run, args=(ended,), name="writer"))
            keep = StorageKeeper().run  # may be cut off anywhere: nobody waits for its end
            threads.append(threading.Thread(target=keep, args=(ended,), name="media", daemon=True))
        if options["only"] != "writer":
            reverse("devices:media", args=["-"])  # reads all routes; the first message would wait for them
            threads.append(threading.Thread(target=_deliver, args=(ended,), name="delivery"))
        gc.collect()
        gc.freeze()  # what was imported stays: no collection walks through it again
        gc.set_threshold(GARBAGE)
        for thread in threads:
            thread.start()
        while not ended.wait(1.0):
            if not all(thread.is_alive() for thread in threads):
                ended.set()  # the supervisor starts the process again
        end_within(STOP_SECONDS, [thread for thread in threads if not thread.daemon])


def end_within(seconds: float, threads: Sequence[threading.Thread]) -> None:
    """Wait for the threads; end the process hard when one of them is still at work then.

    Whatever was not committed is taken up again: results stay taken in Redis, a delivery's lease ends by itself.
    """
    ends = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    late = [thread.name for thread in threads if thread.is_alive()]
    if late:
        logger.warning("courier: %s did not end within %.0f s and is cut off", ", ".join(late), seconds)
        logging.shutdown()
        os._exit(1)


def _deliver(ended: threading.Event) -> None:
    """The delivery's event loop in this thread, until the process is told to end."""
    asyncio.run(_serve(ended))


async def _serve(ended: threading.Event) -> None:
    stop = asyncio.Event()
    async with DeliveryProcess() as process:
        serving = asyncio.create_task(process.run(stop))
        while not ended.is_set() and not serving.done():
            await asyncio.wait({serving}, timeout=0.5)
        stop.set()
        await serving
