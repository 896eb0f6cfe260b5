"""Media links: signed, bound to their holder, expiring; the right is checked again at each use."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.crypto import salted_hmac
from django.utils.encoding import force_bytes

from apps.devices.models import Camera, Capture
from apps.devices.registry import MediaItem, link_holders, masks_of, media_kinds
from apps.devices.services.access import is_access_sound

SALT = "devices.media"
VARIANTS = frozenset({"frame", "annotated", "crop", "thumb"})


def media_url(
    kind: str,
    object_id: UUID,
    principal: Any = None,
    *,
    variant: str = "frame",
    index: int = 0,
    seconds: int = 900,
    holder: tuple[str, UUID] | None = None,
) -> str:
    """A path that shows one picture. `holder` (default the principal) is who the link is for.

    Variants: frame (clean), annotated (boxes drawn), crop (of target `index`), thumb (320 px wide).
    """
    holder = holder or (principal.kind, principal.id)
    (link,) = media_urls(kind, object_id, [variant], index=index, seconds=seconds, holder=holder)
    return link


def media_urls(
    kind: str,
    object_id: UUID,
    variants: Iterable[str],
    *,
    index: int = 0,
    seconds: int,
    holder: tuple[str, UUID],
) -> list[str]:
    """`media_url` for several variants of one picture."""
    name, identifier = holder
    signer = _signer(settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS))
    door = _door(get_urlconf(), get_script_prefix())
    shown, held, until = str(object_id), str(identifier), int(time.time()) + seconds
    return [
        f"{door}{signer.sign_object([kind, shown, variant, index, name, held, until])}"
        for variant in variants
    ]


class _Signer(signing.TimestampSigner):
    """Derives its key once, not for each token."""

    def __init__(self, key: str, fallbacks: list[str]) -> None:
        super().__init__(key=key, fallback_keys=fallbacks, salt=SALT)
        self._keyed = salted_hmac(f"{SALT}signer", "", key, algorithm=self.algorithm)

    def signature(self, value: str | bytes, key: str | bytes | None = None) -> str:
        """As Django's own for its present key."""
        if key is not None:
            return super().signature(value, key)
        keyed = self._keyed.copy()
        keyed.update(force_bytes(value))
        return signing.b64_encode(keyed.digest()).decode()


@lru_cache(maxsize=2)
def _signer(key: str, fallbacks: tuple[str, ...]) -> _Signer:
    """What `signing.dumps` makes anew for each token; every message to a subscriber holds three."""
    return _Signer(key, list(fallbacks))


@lru_cache(maxsize=8)
def _door(urlconf: str | None, prefix: str) -> str:
    """The path before the token, whose characters need no quoting."""
    return reverse("devices:media", args=["-"]).removesuffix("-")


def open_media(token: str, session_principal: Any) -> tuple[MediaItem, str, int, Any] | None:
    """(item, variant, index, principal) of a link; None when it is forged, over, of another person, or the right ended.

    A user's link works only in that user's own session; an App's or subscription's link works by itself.
    """
    try:
        kind, object_id, variant, index, holder, holder_id, until = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError):
        return None
    if until < time.time() or variant not in VARIANTS or kind not in media_kinds:
        return None
    if holder == "user":
        principal = session_principal
        if principal is None or str(principal.id) != holder_id:
            return None
    else:
        principal = link_holders.get(holder)(UUID(holder_id)) if holder in link_holders else None
        if principal is None:
            return None
    item = media_kinds.get(kind)(principal, UUID(object_id))
    return None if item is None else (item, variant, index, principal)


def capture_item(principal: Any, capture_id: UUID) -> MediaItem | None:
    """Media kind `capture`: needs the right `capture` at the frame's time."""
    row = (
        Capture.objects.visible_to(principal, "capture")
        .select_related("camera__managing_organisation")
        .filter(pk=capture_id)
        .first()
    )
    if row is None or row.deleted_at is not None:
        return None
    if not is_access_sound(principal, row.camera, "capture", moment=row.time):
        return None
    return MediaItem(
        row.path, row.time, row.camera_id, row.camera.managing_organisation_id, state=row.media_state
    )


def cover_item(principal: Any, camera_id: UUID) -> MediaItem | None:
    """Media kind `cover`: the latest picture, for those who may see captures or watch live."""
    camera = _for_cover(principal, camera_id)
    if camera is None or not camera.cover:
        return None
    masks = masks_of(camera.pk)  # the picture may be older than its masks
    return MediaItem(camera.cover, camera.cover_at, camera.pk, camera.managing_organisation_id, masks=masks)


def _for_cover(principal: Any, camera_id: UUID) -> Camera | None:
    for action in ("capture", "live"):
        rows = Camera.objects.visible_to(principal, action).select_related("managing_organisation")
        camera: Camera | None = rows.filter(pk=camera_id).first()
        if camera is not None and is_access_sound(principal, camera, action):
            return camera
    return None
