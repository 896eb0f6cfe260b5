"""The work of the queue `strategies`."""

import time

from celery import shared_task

from apps.strategies import services

LONGEST_SECONDS = 20.0


@shared_task(queue="strategies", name="strategies.run_pending")
def run_pending() -> int:
    """Judge what waits until nothing does, at most 20 s."""
    done, ends = 0, time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < ends:
        finished = services.run_pending()
        done += finished
        if not finished:
            break
    return done
