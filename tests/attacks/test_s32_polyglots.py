"""S32: files that are a picture and something else: what leaves the site is a fresh JPEG, or nothing.

However such a file came to lie in the media storage, the door decodes it and draws it again; the answer cannot run.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as live_settings
from django.urls import reverse
from PIL import Image

from apps.devices.services.media import VARIANTS, media_url
from tests.attacks import world as worlds
from tests.attacks.world import World
from workers.vision.rendition import encode_jpeg

pytestmark = pytest.mark.django_db
SCRIPT = b"<script>alert(document.domain)</script><?php system($_GET['c']); ?>"
MARKS = (
    b"<script",
    b"<?php",
    b"alert(",
    b"PK\x03\x04",
    b"%PDF",
    b"<svg",
    b"<!DOCTYPE",
    b"GIF8",
    b"RIFF",
    b"CWS",
)
JPEG = encode_jpeg(np.full((90, 160, 3), 90, np.uint8))


def picture(kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (160, 90), (90, 90, 90)).save(out, kind, **options)
    return out.getvalue()


def with_comment(data: bytes, marker: int = 0xFE) -> bytes:
    return data[:2] + struct.pack(">BBH", 0xFF, marker, len(SCRIPT) + 2) + SCRIPT + data[2:]


def png_with_text() -> bytes:
    whole = picture("PNG")
    body = b"tEXt" + b"Comment\0" + SCRIPT
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return whole[:33] + chunk + whole[33:]


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        opened.writestr("index.html", SCRIPT)
    return out.getvalue()


CORPUS: dict[str, bytes] = {
    "jpeg-then-html": JPEG + SCRIPT,
    "jpeg-comment-html": with_comment(JPEG),
    "jpeg-exif-php": with_comment(JPEG, 0xE1),
    "jpeg-then-zip": JPEG + archive(),
    "jpeg-then-pdf": JPEG + b"\n%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(alert(1))>>>>",
    "png-text-html": png_with_text(),
    "png-then-html": picture("PNG") + SCRIPT,
    "gif-javascript": b"GIF89a/*" + picture("GIF")[8:] + b"*/=1;alert(1)//",
    "bmp-javascript": b"BM=1;/*" + picture("BMP")[7:] + b"*/alert(1)//",
    "webp-javascript": picture("WEBP") + SCRIPT,
    "tiff-html": picture("TIFF") + SCRIPT,
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>" + SCRIPT + b"</svg>",
    "html": b"<!DOCTYPE html><title>x</title>" + SCRIPT,
    "xml-xslt": b"<?xml version='1.0'?><?xml-stylesheet href='#x' type='text/xsl'?><x>" + SCRIPT + b"</x>",
    "flash": b"CWS\x08" + SCRIPT,
    "html-then-jpeg": SCRIPT + JPEG,
}


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    settings.VANTAGE_OUTBOUND_EXACT = [worlds.ENDPOINT]
    settings.MEDIA_ROOT = tmp_path
    return worlds.build()


def assert_harmless(answer: Any, where: str) -> None:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code in {200, 204, 404}, where
    if answer.status_code != 200:
        return
    assert answer["Content-Type"] == "image/jpeg", where
    assert answer["X-Content-Type-Options"] == "nosniff", where
    assert "sandbox" in answer["Content-Security-Policy"], where
    assert body[:3] == b"\xff\xd8\xff", where
    assert body.rstrip(b"\0")[-2:] == b"\xff\xd9", (where, "nothing follows the picture")
    assert [mark for mark in MARKS if mark in body] == [], where


def test_s32_the_corpus_has_fifteen_files() -> None:
    assert len(CORPUS) >= 15


@pytest.mark.parametrize("name", sorted(CORPUS))
def test_s32_what_leaves_is_drawn_again_or_nothing(name: str, world: World) -> None:
    for relative in (world.capture.path, world.camera.cover):
        (Path(live_settings.MEDIA_ROOT) / relative).write_bytes(CORPUS[name])
    client = world.client("manager")
    for kind, row in (("capture", world.capture), ("event", world.event), ("cover", world.camera)):
        for variant in sorted(VARIANTS) if kind == "capture" else ("frame",):
            url = media_url(kind, row.pk, world.principal("manager"), variant=variant)
            assert_harmless(client.get(url), f"{kind} {variant}")
            download = client.get(f"{url}?download=1")
            assert_harmless(download, f"{kind} {variant} download")
            if download.status_code == 200:
                assert download["Content-Disposition"].startswith("attachment"), kind
    assert_harmless(client.get(reverse("devices:camera-snapshot", args=[world.camera.pk])), "snapshot")


def test_s32_the_media_folder_has_no_address(world: World) -> None:
    client = world.client("manager")
    for path in (world.capture.path, world.camera.cover):
        for prefix in (
            "/media/",
            "/static/",
            "/",
            "/devices/media/",
            "/static/../media/",
            "/static/%2e%2e/media/",
        ):
            assert client.get(prefix + path).status_code == 404, prefix
