"""Recurring work of the devices room."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.core import clock
from apps.devices.services import access, looking, retention


@shared_task(queue="default", name="devices.delete_expired")
def delete_expired() -> None:
    """Whatever is older than its keeping time goes, in batches."""
    retention.delete_expired()


@shared_task(queue="default", name="devices.flag_odd_looking")
def flag_odd_looking() -> None:
    """Today, and yesterday as long as its last hour may still be unseen."""
    today = timezone.localdate(clock.now())
    looking.flag_odd_looking(today - timedelta(days=1))
    looking.flag_odd_looking(today)


@shared_task(queue="default", name="devices.check_access")
def check_access() -> None:
    """Compare every compiled right with the grant it came from."""
    after = None
    while True:
        _wrong, after = access.check_access(after=after)
        if after is None:
            return
