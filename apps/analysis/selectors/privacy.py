"""Privacy masks of a camera."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.analysis.models import Scene


def privacy_masks_of(camera_id: UUID) -> list[dict[str, Any]]:
    """The masks of all its scenes together: which preset a live picture shows is not known, so all are painted."""
    rows = Scene.objects.filter(camera_id=camera_id).exclude(privacy_masks=[])
    return [mask for masks in rows.values_list("privacy_masks", flat=True) for mask in masks]
