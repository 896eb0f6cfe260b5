"""`manage.py courier`: the writer (results → PostgreSQL) and the delivery process side by side."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from workers.delivery import DeliveryProcess
from workers.management.stopping import ended_by_signal
from workers.writer import Writer
from workers.writer.keeper import StorageKeeper


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
            threads.append(threading.Thread(target=StorageKeeper().run, args=(ended,), name="media"))
        if options["only"] != "writer":
            threads.append(threading.Thread(target=_deliver, args=(ended,), name="delivery"))
        gc.collect()
        gc.freeze()  # what was imported stays: no collection walks through it again
        for thread in threads:
            thread.start()
        while not ended.wait(1.0):
            if not all(thread.is_alive() for thread in threads):
                ended.set()  # the supervisor starts the process again
        for thread in threads:
            thread.join(20)


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
