"""What the media door can show, and for whom a link can be made: upper rooms register their kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.core.registry import Registry
from apps.devices.choices import MediaState


@dataclass(frozen=True, slots=True)
class MediaItem:
    """A stored picture and what may be drawn on it. `owner_id` is the organisation whose ledger shows the look.

    `implied_purpose`: why this viewer looks, where the work itself says so (judging a waiting event).
    """

    path: str
    time: datetime | None
    camera_id: UUID
    owner_id: UUID
    detections: list[dict[str, Any]] = field(default_factory=list)
    regions: list[dict[str, Any]] = field(default_factory=list)
    may_see_unmasked: bool = False
    state: str = MediaState.STORED
    masks: list[dict[str, Any]] = field(default_factory=list)
    implied_purpose: str = ""


#: kind → (principal, object id) → the item, or None when this principal may not see it.
media_kinds: Registry[Callable[[Any, UUID], MediaItem | None]] = Registry("media kind")
#: who keeps privacy masks → (camera id) → regions 0..1 of the frame that nobody may see.
privacy_masks: Registry[Callable[[UUID], list[dict[str, Any]]]] = Registry("privacy masks")
#: holder kind → (id) → the principal it acts for now, or None once it ended.
link_holders: Registry[Callable[[UUID], Any]] = Registry("link holder")


def masks_of(camera_id: UUID) -> list[dict[str, Any]]:
    """Privacy masks of the camera, from whichever room keeps them."""
    return [mask for _name, source in privacy_masks.items() for mask in source(camera_id)]
