"""Recurring work of the events room."""

from celery import shared_task

from apps.events import services


@shared_task(queue="default", name="events.close_ended")
def close_ended() -> int:
    """End what nothing repeats any more."""
    return services.close_ended()


@shared_task(queue="default", name="events.expire_unreviewed")
def expire_unreviewed() -> int:
    """Take unreviewed events past their validity out of the queue."""
    return services.expire_unreviewed()
