"""The rendition door: every picture that leaves the server goes through here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _

from apps.core import clock
from apps.devices.choices import MediaState
from apps.devices.registry import MediaItem
from apps.devices.services.storage import StorageAway, read
from workers.vision.detections import Box, Detection
from workers.vision.frames import Image
from workers.vision.rendition.decode import ImageRefused, decode_image
from workers.vision.rendition.drawing import overlay, watermark
from workers.vision.rendition.encode import crop, encode_jpeg
from workers.vision.rendition.privacy import paint_masks, pixelate
from workers.vision.rendition.text import draw_text, text_size

FACE_LABELS = frozenset({"face", "head", "plate", "licence_plate", "人脸", "车牌"})
PERSON_LABELS = frozenset({"person", "pedestrian", "行人"})
THUMB_WIDTH = 320


@dataclass(frozen=True, slots=True)
class Rendered:
    """JPEG bytes, and what was done to the picture (`X-Vantage-Rendition`).

    is_placeholder: it shows no picture of the camera but the words why there is none now.
    """

    jpeg: bytes
    note: str
    is_placeholder: bool = False


def _hidden_boxes(item: MediaItem) -> list[Box]:
    """Faces and plates as found; of a person without a found face the top quarter of the box."""
    hidden: list[Box] = []
    for target in item.detections:
        x, y, w, h = target["box"]
        if target["label"] in FACE_LABELS:
            hidden.append((x, y, w, h))
        elif target["label"] in PERSON_LABELS:
            hidden.append((x + w * 0.2, y, w * 0.6, h * 0.25))
    return hidden


def rendered(item: MediaItem, *, principal: Any, variant: str, index: int = 0) -> Rendered | None:
    """The picture for this viewer: privacy masks were painted before storage; faces and plates are pixelated by
    detection boxes (no blur model is installed, and the note says so) unless the viewer may see unmasked;
    the viewer's watermark on everything but thumbnails. A picture that waits for the store, or that the storage
    had no room for, is a placeholder that says so. None when the picture is gone."""
    if item.state == MediaState.NOT_KEPT:
        return placeholder(_("This picture was not kept: the storage was full."), "not-kept", variant)
    try:
        image = decode_image(read(item.path))
    except StorageAway:
        return placeholder(_("The storage does not answer; the picture is not lost."), "store-away", variant)
    except FileNotFoundError:
        if item.state != MediaState.PENDING:
            return None
        return placeholder(_("The picture waits to be stored; look again soon."), "media-pending", variant)
    except ImageRefused:
        return None
    if item.masks:
        image = paint_masks(image, item.masks)
    note = "unmasked"
    if not item.may_see_unmasked:
        image, note = pixelate(image, _hidden_boxes(item)), "pixelated-by-detections"
    detections = [
        Detection(target["label"], float(target["score"]), tuple(target["box"])) for target in item.detections
    ]
    if variant == "annotated":
        image = overlay(image, detections, item.regions)
    elif variant == "crop" and index < len(detections):
        image = crop(image, detections[index].box, 0.3)
    if variant == "thumb":
        height = max(1, round(image.shape[0] * THUMB_WIDTH / image.shape[1]))
        image = cv2.resize(image, (THUMB_WIDTH, height), interpolation=cv2.INTER_AREA)
        return Rendered(encode_jpeg(image, 80), note)
    return finished(image, principal, note)


def finished(image: Image, principal: Any, note: str) -> Rendered:
    """The picture with the viewer's watermark, as JPEG."""
    minute = clock.now().astimezone(ZoneInfo(settings.TIME_ZONE))
    tail = str(principal.id)[-4:]
    lines = [f"{principal.organisation_name} {principal.name} {tail}", f"{minute:%Y-%m-%d %H:%M}"]
    return Rendered(encode_jpeg(watermark(image, lines), 88), note)


def placeholder(words: str, note: str, variant: str) -> Rendered:
    """A grey picture with these words, in the reader's language."""
    width, height = (THUMB_WIDTH, 180) if variant == "thumb" else (960, 540)
    image = np.full((height, width, 3), 64, np.uint8)
    size = 28
    while size > 8 and text_size(words, size)[0] > width * 0.92:
        size -= 2
    across = text_size(words, size)[0]
    draw_text(image, words, (max(4, (width - across) // 2), height // 2), size, (225, 225, 225))
    return Rendered(encode_jpeg(image, 80), f"placeholder-{note}", is_placeholder=True)
