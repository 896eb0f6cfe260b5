"""Deliveries by age: the messages as sent, with every attempt; one age for the whole site."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Max, Min, OuterRef
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.ids import id_floor
from apps.core.retention import Batch, digest_of
from apps.devices.services.retention import active_locks
from apps.events.models import Event
from apps.openapi.models import Delivery


class DeliveryKind:
    """Also messages that never arrived: what waited that long is not sent any more, and its links are dead.

    What is on its way right now, and what tells of an event that is locked, stays.
    """

    is_site_wide = True
    label = _("Deliveries")
    SIZE = 1000

    def _rows(self, before: datetime) -> Any:
        lock = active_locks().filter(
            camera=OuterRef("camera"),
            frames_from__lte=OuterRef("last_seen"),
            frames_to__gte=OuterRef("first_seen"),
        )
        locked = Event.objects.filter(Exists(lock), pk=OuterRef("event_id"))
        rows = Delivery.objects.filter(pk__lt=id_floor(before), created_at__lt=before)
        return rows.exclude(lease_until__gt=clock.now()).exclude(Exists(locked))

    def find(self, before: datetime, organisations: Sequence[UUID] | None) -> Batch:
        """See retention.Kind."""
        facts = self._rows(before).aggregate(
            count=Count("pk"), oldest=Min("created_at"), newest=Max("created_at")
        )
        return Batch(facts["count"], 0, facts["oldest"], facts["newest"])

    def delete(self, before: datetime, organisations: Sequence[UUID] | None) -> Batch:
        """See retention.Kind."""
        rows = self._rows(before).order_by("pk").select_for_update(skip_locked=True, of=("self",))
        found = list(rows.only("created_at")[: self.SIZE])
        if not found:
            return Batch()
        Delivery.objects.filter(pk__in=[row.pk for row in found]).delete()
        moments = [row.created_at for row in found]
        return Batch(len(found), 0, min(moments), max(moments), digest_of(row.pk for row in found))
