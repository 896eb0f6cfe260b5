"""Online, offline, degraded: one writer for the state of cameras."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.core import clock
from apps.core.realtime.push import push
from apps.devices.choices import CameraState
from apps.devices.models import Camera
from apps.devices.signals import camera_state_changed


@transaction.atomic
def report_camera_state(
    camera_id: UUID, state: str, cause: str = "", seen_at: datetime | None = None
) -> bool:
    """Write what a worker saw; pages hear of it only when it changed. Returns True on a change.

    A report older than the present state (`seen_at` before `last_seen_at`) changes nothing.
    """
    moment = seen_at or clock.now()
    if state in {CameraState.ONLINE, CameraState.DEGRADED}:
        newer = Q(last_seen_at__isnull=True) | Q(last_seen_at__lt=moment)
        Camera.objects.filter(newer, pk=camera_id).update(last_seen_at=moment)
    row = Camera.objects.exclude(state=state, state_cause=cause).filter(pk=camera_id)
    row = row.filter(Q(state_since__isnull=True) | Q(state_since__lte=moment))
    if not row.update(state=state, state_cause=cause, state_since=moment):
        return False
    camera = Camera.objects.only("name", "managing_organisation_id").get(pk=camera_id)
    push(
        "camera.state",
        camera_id,
        {"camera": str(camera_id), "name": camera.name, "state": state, "cause": cause},
        [f"m:{camera.managing_organisation_id}", f"c:{camera_id}"],
    )
    camera_state_changed.send(sender=Camera, camera_id=camera_id, state=state, cause=cause)
    return True
