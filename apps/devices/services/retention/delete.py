"""Deleting what is too old: one transaction, one deletion record and one audit record a batch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, transaction

from apps.accounts.models import Organisation
from apps.accounts.permissions import SYSTEM
from apps.core import audit, clock, retention
from apps.core.retention import Batch
from apps.devices.models import DeletionRecord, RetentionRule
from apps.devices.services.retention.rules import before_of, slots
from apps.devices.services.storage import StorageAway

logger = logging.getLogger(__name__)
SITE = "site"


def delete_expired(*, batches: int = 200) -> int:
    """Delete up to `batches` batches of each kind that is too old; returns how many records were written.

    A storage that is away and a partition in use are left for the next time.
    """
    done = 0
    for name, kind in retention.kinds.items():
        if name not in settings.VANTAGE_RETENTION:
            continue
        left = batches  # of each kind: many old pictures must not keep old events
        for organisation, days, words in _duties(name, kind):
            while left > 0:
                try:
                    if not _one_batch(name, kind, organisation, before_of(days), words):
                        break
                except (StorageAway, OperationalError) as error:
                    logger.warning("retention of %s waits: %s", name, type(error).__name__)
                    break
                left -= 1
        done += batches - left
    return done


def _duties(name: str, kind: retention.Kind) -> list[tuple[Organisation | None, int, str]]:
    """(organisation, days, rule in words) with something to do; None stands for the whole site."""
    usual = slots(name)[2]
    rules = RetentionRule.objects.filter(kind=name).select_related("organisation")
    by_path = {rule.organisation.path: rule for rule in rules}
    if kind.is_site_wide:
        tops = [rule for rule in by_path.values() if rule.organisation.depth == 1]
        days = max((rule.days for rule in tops), default=usual)
        return [(None, _bounded(name, days), _words(name, days, SITE))] if days is not None else []
    found = []
    for organisation in (
        Organisation.objects.filter(managed_cameras__isnull=False).distinct().order_by("path")
    ):
        step = organisation.steplen
        chain = [organisation.path[: step * depth] for depth in range(organisation.depth, 0, -1)]
        rule = next((by_path[path] for path in chain if path in by_path), None)
        days = rule.days if rule else usual
        if days is not None:
            source = rule.organisation.name if rule else SITE
            found.append((organisation, _bounded(name, days), _words(name, days, source)))
    return found


def _bounded(name: str, days: int) -> int:
    """A rule made before the site's bounds changed never goes below them."""
    return max(days, slots(name)[0])


def _words(name: str, days: int | None, source: str) -> str:
    return f"{name}: {days} d ({source})"[:200]


def _one_batch(
    name: str, kind: retention.Kind, organisation: Organisation | None, before: datetime, words: str
) -> bool:
    with transaction.atomic():
        owners: Sequence[UUID] | None = None if organisation is None else [organisation.pk]
        batch = kind.delete(before, owners)
        if not batch.count:
            return bool(batch.digest)
        _record(name, organisation, words, batch)
    return True


def _record(name: str, organisation: Organisation | None, words: str, batch: Batch) -> None:
    row = DeletionRecord.objects.create(
        kind=name,
        organisation_id=str(organisation.pk) if organisation else "",
        organisation_name=organisation.name if organisation else "",
        organisation_path=organisation.path if organisation else "",
        rule=words,
        count=batch.count,
        size=batch.size,
        oldest=batch.oldest,
        newest=batch.newest,
        digest=batch.digest,
        deleted_at=clock.now(),
    )
    audit.record(
        SYSTEM,
        "retention.delete",
        row,
        owner_id=organisation.pk if organisation else "",
        name=f"{name} {batch.count}",
        rule=words,
        digest=batch.digest,
    )
