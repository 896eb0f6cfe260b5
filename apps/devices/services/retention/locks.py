"""Locks: what may not go by age although it is old enough."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.permissions import Principal
from apps.core import audit, clock
from apps.core.errors import Refusal
from apps.devices.models import Camera, MediaLock


@transaction.atomic
def lock_media(
    *,
    by: Principal,
    camera: Camera,
    frames_from: datetime,
    frames_to: datetime,
    reason: str,
    ends_at: datetime,
) -> MediaLock:
    """Keep what this camera saw in that time until `ends_at`; needs a reason, an owner and an end."""
    by.must("retention.manage")
    if frames_to <= frames_from:
        raise Refusal(
            "lock_without_length", _("The end must lie after the beginning."), fields={"frames_to": ""}
        )
    if ends_at <= clock.now():
        raise Refusal("lock_is_over", _("A lock must end in the future."), fields={"ends_at": ""})
    if not reason.strip():
        raise Refusal("lock_without_reason", _("A lock needs a reason."), fields={"reason": ""})
    row = MediaLock.objects.create(
        camera=camera,
        frames_from=frames_from,
        frames_to=frames_to,
        reason=reason.strip()[:300],
        ends_at=ends_at,
        owner=by.user,
        owner_name=by.name[:200],
    )
    audit.record(
        by,
        "media.lock",
        camera,
        owner_id=camera.managing_organisation_id,
        frames_from=frames_from,
        frames_to=frames_to,
        ends_at=ends_at,
        reason=row.reason,
    )
    return row


@transaction.atomic
def release_lock(*, by: Principal, lock: MediaLock) -> MediaLock:
    """Take a lock off; what is old enough goes with the next run."""
    by.must("retention.manage")
    row = MediaLock.objects.select_for_update(of=("self",)).select_related("camera").get(pk=lock.pk)
    if row.released_at is None:
        row.released_at = clock.now()
        row.save(update_fields=["released_at", "updated_at"])
        audit.record(
            by, "media.unlock", row.camera, owner_id=row.camera.managing_organisation_id, lock=row.pk
        )
    return row
