"""Recurring work of the core: checkpoints of the audit, re-encryption after a change of keys."""

from __future__ import annotations

import logging

from celery import shared_task

from apps.core import audit, rotation

logger = logging.getLogger(__name__)


@shared_task(queue="default", name="core.checkpoint_audit")
def checkpoint_audit() -> None:
    """Write the head of the chain to the file outside; a file that cannot be written is told, not hidden."""
    try:
        audit.checkpoint()
    except OSError as error:
        logger.error("audit: no checkpoint could be written: %s", error.strerror)


@shared_task(queue="default", name="core.reseal")
def reseal() -> None:
    """A bounded share of what is not under the present key; the rest waits for the next time."""
    for _round in range(10):
        if not rotation.reseal():
            return
