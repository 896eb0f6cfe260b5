"""Links to pictures in messages: they live 7 days and ask for the subscription's right at each use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch

from apps.devices.registry import media_kinds
from apps.devices.services import media_urls
from apps.events.models import Event
from apps.openapi.models import Subscription

LIFE_SECONDS = 7 * 24 * 3600
HOLDER = "subscription"


def picture_links(subscription: Subscription, event: Event) -> list[dict[str, str]]:
    """`[{"kind": "frame"|"annotated"|"crop", "url"}]`; empty where the event has no picture.

    Absolute links of the media door, held by the subscription; the API's picture where there is no door.
    """
    if event.capture_id is None:
        return []
    variants = ["frame", "annotated", *(["crop"] if event.targets else [])]
    kind: tuple[str, Any] = ("event", event.pk) if "event" in media_kinds else ("capture", event.capture_id)
    try:
        paths = media_urls(*kind, variants, seconds=LIFE_SECONDS, holder=(HOLDER, subscription.pk))
    except NoReverseMatch:
        paths = [f"/api/v1/events/{event.pk}/picture"] * len(variants)
    site = settings.VANTAGE_PUBLIC_URL
    return [{"kind": variant, "url": f"{site}{path}"} for variant, path in zip(variants, paths, strict=True)]
