"""Checking uploaded packages on the default queue."""

from celery import shared_task

from apps.algorithms.models import AlgorithmPackage
from apps.algorithms.services import check_event_type_links, check_package


@shared_task(queue="default", name="algorithms.check_packages", soft_time_limit=600, time_limit=660)
def check_packages() -> int:
    """Check every package that waits; may run twice, the row's state decides."""
    waiting = AlgorithmPackage.objects.filter(state__in=["uploaded", "checking"]).order_by("id")
    return sum(1 for package in waiting if check_package(package))


@shared_task(queue="default", name="algorithms.check_links")
def check_links() -> None:
    """Look at the keyed hash of every event type that a grant names."""
    after = None
    while True:
        _wrong, after = check_event_type_links(after=after)
        if after is None:
            return
