"""The rendition door: every picture that leaves the server goes through here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import cv2
from django.conf import settings

from apps.core import clock
from apps.devices.registry import MediaItem
from apps.devices.services.captures import media_path
from workers.vision.detections import Box, Detection
from workers.vision.rendition.decode import ImageRefused, decode_image
from workers.vision.rendition.drawing import overlay, watermark
from workers.vision.rendition.encode import crop, encode_jpeg
from workers.vision.rendition.privacy import pixelate

FACE_LABELS = frozenset({"face", "head", "plate", "licence_plate", "人脸", "车牌"})
PERSON_LABELS = frozenset({"person", "pedestrian", "行人"})
THUMB_WIDTH = 320


@dataclass(frozen=True, slots=True)
class Rendered:
    """JPEG bytes, and what was done to the picture (`X-Vantage-Rendition`)."""

    jpeg: bytes
    note: str


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
    the viewer's watermark on everything but thumbnails. None when the picture is gone."""
    try:
        image = decode_image(media_path(item.path))
    except (FileNotFoundError, ImageRefused):
        return None
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
    minute = clock.now().astimezone(ZoneInfo(settings.TIME_ZONE))
    tail = str(principal.id)[-4:]
    lines = [f"{principal.organisation_name} {principal.name} {tail}", f"{minute:%Y-%m-%d %H:%M}"]
    return Rendered(encode_jpeg(watermark(image, lines), 88), note)
