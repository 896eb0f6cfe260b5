"""The event types that grants name: a link made or changed past the product gives nothing."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.algorithms.models import EventTypeGrant
from apps.core import audit
from apps.core.realtime.push import bump_epoch
from apps.core.sealing import BROKEN, is_sound, marked_broken


@transaction.atomic
def check_event_type_links(limit: int = 1000, after: Any = None) -> tuple[int, Any]:
    """Look at up to `limit` links and mark those whose keyed hash fails.

    Returns (how many were marked, the id to go on after; None at the end).
    """
    rows = EventTypeGrant.objects.order_by("pk")
    found = list((rows.filter(pk__gt=after) if after else rows)[:limit])
    wrong = [link for link in found if not link.mac.startswith(BROKEN) and not is_sound(link)]
    for link in wrong:
        EventTypeGrant.objects.filter(pk=link.pk).update(mac=marked_broken(link.mac))
        audit.record(None, "event_type_grant.broken", link, outcome="refused", grant=str(link.grant_id))
    if wrong:
        bump_epoch()
    return len(wrong), found[-1].pk if len(found) == limit else None
