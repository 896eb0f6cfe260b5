"""Events by age: with their repeats, reviews and audience; what is open, to be judged or handled, or locked stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Max, Min, OuterRef
from django.utils.translation import gettext_lazy as _

from apps.core.ids import id_floor
from apps.core.retention import Batch, digest_of
from apps.devices.services.retention import active_locks
from apps.events.choices import HandlingState, ReviewState
from apps.events.models import Event

AT_WORK = (HandlingState.TO_DISPATCH, HandlingState.IN_PROGRESS, HandlingState.TO_VERIFY)


class EventKind:
    """Events whose last sight and whose raising are both older: an old recording analysed today is not old."""

    is_site_wide = False
    label = _("Events")
    SIZE = 500

    def _rows(self, before: datetime, organisations: Sequence[UUID] | None) -> Any:
        locked = active_locks().filter(
            camera=OuterRef("camera"),
            frames_from__lte=OuterRef("last_seen"),
            frames_to__gte=OuterRef("first_seen"),
        )
        rows = Event.objects.filter(pk__lt=id_floor(before), last_seen__lt=before, ended_at__isnull=False)
        rows = rows.exclude(review_state=ReviewState.PENDING).exclude(handling__in=AT_WORK)
        rows = rows.exclude(Exists(locked))
        if organisations is not None:
            rows = rows.filter(camera__managing_organisation__in=organisations)
        return rows

    def find(self, before: datetime, organisations: Sequence[UUID] | None) -> Batch:
        """See retention.Kind."""
        facts = self._rows(before, organisations).aggregate(
            count=Count("pk"), oldest=Min("last_seen"), newest=Max("last_seen")
        )
        return Batch(facts["count"], 0, facts["oldest"], facts["newest"])

    def delete(self, before: datetime, organisations: Sequence[UUID] | None) -> Batch:
        """See retention.Kind. Captures, raw events, traces and deliveries have ages of their own."""
        rows = self._rows(before, organisations).order_by("pk")
        found = list(rows.select_for_update(skip_locked=True, of=("self",)).only("last_seen")[: self.SIZE])
        if not found:
            return Batch()
        Event.objects.filter(pk__in=[row.pk for row in found]).delete()
        moments = [row.last_seen for row in found]
        return Batch(len(found), 0, min(moments), max(moments), digest_of(row.pk for row in found))
