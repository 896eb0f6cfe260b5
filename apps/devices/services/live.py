"""Live pictures: who gets the camera's own stream, and masked pictures for everybody else.

A live stream is passed on as the camera sends it, so privacy masks cannot be painted into it. Where a camera has
masks, the stream is only for those to whom `unmasked` was granted by name of the action; managing the camera is not
enough. Everybody else who may watch gets single pictures, taken now and with the masks painted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from apps.core import clock
from apps.devices.models import Camera, Stream
from apps.devices.querysets import access_exists
from apps.devices.registry import masks_of
from apps.devices.services.access import grant_behind, is_access_sound
from apps.devices.services.rendition import Rendered, finished
from apps.devices.services.streams import open_stream_url
from workers.vision.holder import ask_picture
from workers.vision.rendition import paint_masks

FRESH = 4.0
SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class LiveRight:
    """How a principal may watch a camera now: `is_raw` the stream itself, else pictures with `masks` painted."""

    camera: Camera
    is_raw: bool
    masks: list[dict[str, Any]] = field(default_factory=list)
    purpose: str = ""

    @property
    def reason(self) -> str:
        """Why there are pictures instead of the stream; empty where there is the stream."""
        if self.is_raw:
            return ""
        return _(
            "This camera has privacy masks. They are painted into single pictures, which are shown instead of "
            "the live stream; for the stream itself apply for the unmasked view."
        )


def live_right(principal: Any, camera_id: UUID) -> LiveRight | None:
    """None for who may not watch at all."""
    rows = Camera.objects.visible_to(principal, "live").select_related("managing_organisation")
    camera = rows.filter(pk=camera_id).first()
    if camera is None or not is_access_sound(principal, camera, "live"):
        return None
    masks = masks_of(camera_id)
    grant = grant_behind(principal, camera, "live")
    purpose = grant.purpose if grant else ""
    return LiveRight(camera, not masks or may_see_unmasked(principal, camera_id), masks, purpose)


def may_see_unmasked(principal: Any, camera_id: UUID) -> bool:
    """Was `unmasked` on this camera granted to the principal, and is the grant valid now?"""
    rows = Camera.objects.filter(access_exists(principal, "unmasked", clock.now()), pk=camera_id)
    camera = rows.first()
    return camera is not None and grant_behind(principal, camera, "unmasked") is not None


def picture_now(principal: Any, right: LiveRight) -> tuple[Rendered, datetime] | None:
    """A picture of this moment through the node's stream holder, masks painted; None while the holder has none.

    The holder opens the camera for it where nobody watches, and keeps the connection until the next is asked for.
    """
    stream = Stream.objects.filter(camera=right.camera).order_by("role").first()
    if stream is None:
        return None
    try:
        url = open_stream_url(stream)
    except ValueError:
        return None
    frame = ask_picture(
        settings.VANTAGE_LIVE_SOCKET,
        str(right.camera.pk),
        stream_url=url,
        transport=stream.transport,
        max_age=FRESH,
        seconds=SECONDS,
    )
    if frame is None:
        return None
    image = paint_masks(frame.image, right.masks)
    return finished(image, principal, "privacy-masks-painted"), frame.time
