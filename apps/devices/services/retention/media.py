"""Pictures by age: each media class of captures, and the covers of silent cameras."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, Sum

from apps.core import clock
from apps.core.retention import Batch, digest_of
from apps.devices.choices import MediaClass
from apps.devices.models import Camera, Capture, MediaLock
from apps.devices.services import storage


def active_locks() -> Any:
    """Locks that hold now."""
    return MediaLock.objects.filter(released_at__isnull=True, ends_at__gt=clock.now())


class CaptureKind:
    """Captures of one media class. The row stays and says when its picture went; the file is overwritten and gone."""

    is_site_wide = False
    SIZE = 200

    def __init__(self, media_class: MediaClass) -> None:
        self.media_class, self.label = media_class, media_class.label

    def _rows(self, before: datetime, organisations: Sequence[UUID] | None) -> Any:
        locked = active_locks().filter(
            camera=OuterRef("camera"), frames_from__lte=OuterRef("time"), frames_to__gte=OuterRef("time")
        )
        rows = Capture.objects.filter(media_class=self.media_class, deleted_at__isnull=True, time__lt=before)
        rows = rows.exclude(locked_until__gt=clock.now()).exclude(Exists(locked))
        if organisations is not None:
            rows = rows.filter(camera__managing_organisation__in=organisations)
        return rows

    def find(self, before: datetime, organisations: Sequence[UUID] | None) -> Batch:
        """See retention.Kind."""
        facts = self._rows(before, organisations).aggregate(
            count=Count("pk"), size=Sum("size"), oldest=Min("time"), newest=Max("time")
        )
        return Batch(facts["count"], facts["size"] or 0, facts["oldest"], facts["newest"])

    def delete(self, before: datetime, organisations: Sequence[UUID] | None) -> Batch:
        """See retention.Kind. Files first: a crash in between deletes once more what is gone already."""
        found = list(
            self._rows(before, organisations)
            .order_by("time")
            .select_for_update(skip_locked=True, of=("self",))[: self.SIZE]
        )
        for row in found:
            storage.delete(row.path)
        Capture.objects.filter(pk__in=[row.pk for row in found]).update(deleted_at=clock.now())
        if not found:
            return Batch()
        return Batch(
            len(found),
            sum(row.size for row in found),
            min(row.time for row in found),
            max(row.time for row in found),
            digest_of(f"{row.pk} {row.sha256}" for row in found),
        )


class CoverKind:
    """The latest picture of a camera that has sent none for long."""

    is_site_wide = False
    label = MediaClass.COVER.label
    SIZE = 200

    def _rows(self, before: datetime, organisations: Sequence[UUID] | None) -> Any:
        rows = Camera.objects.filter(cover_at__lt=before).exclude(Q(cover=""))
        rows = rows.exclude(Exists(active_locks().filter(camera=OuterRef("pk"))))
        if organisations is not None:
            rows = rows.filter(managing_organisation__in=organisations)
        return rows

    def find(self, before: datetime, organisations: Sequence[UUID] | None) -> Batch:
        """See retention.Kind."""
        facts = self._rows(before, organisations).aggregate(
            count=Count("pk"), oldest=Min("cover_at"), newest=Max("cover_at")
        )
        return Batch(facts["count"], 0, facts["oldest"], facts["newest"])

    def delete(self, before: datetime, organisations: Sequence[UUID] | None) -> Batch:
        """See retention.Kind."""
        rows = self._rows(before, organisations).order_by("pk")
        found = list(rows.select_for_update(skip_locked=True, of=("self",))[: self.SIZE])
        for row in found:
            storage.delete(row.cover)
        Camera.objects.filter(pk__in=[row.pk for row in found]).update(cover="", cover_at=None)
        if not found:
            return Batch()
        moments = [row.cover_at for row in found]
        return Batch(len(found), 0, min(moments), max(moments), digest_of(row.cover for row in found))
