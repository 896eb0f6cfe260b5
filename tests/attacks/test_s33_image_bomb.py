"""S33 and S32: pictures that are too large, and files that only pretend to be pictures."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from workers.vision.rendition import ImageRefused, decode_image, encode_jpeg


def png_header(width: int, height: int, data: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(encode_jpeg(np.zeros((16, 16, 3), np.uint8)))
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(
    "bomb",
    [
        png_header(30_000, 30_000, zlib.compress(b"\0" * 1_000_000)),
        png_header(2**31 - 1, 2**31 - 1),
        png_header(50_000_001, 1),
        jpeg_claiming(65_000, 65_000),
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, 40_000, 40_000, 1, 24, 0, 0, 0, 0, 0, 0),
    ],
    ids=["png-30k", "png-2G", "png-line", "jpeg-65k", "bmp-40k"],
)
def test_s33_the_size_is_judged_before_decoding(bomb):
    tracemalloc.start()
    with pytest.raises(ImageRefused) as refusal:
        decode_image(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refusal.value.code == "frame_too_large"
    assert peak < 20_000_000


def test_s33_a_large_but_allowed_picture_opens():
    assert decode_image(encode_jpeg(np.zeros((4000, 6000, 3), np.uint8))).shape == (4000, 6000, 3)


def tiff() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "TIFF")
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><img src=x onerror=alert(1)>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"#!/bin/sh\nid",
        tiff(),
        png_header(100, 100)[:40],
        encode_jpeg(np.zeros((16, 16, 3), np.uint8))[:40],
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"push graphic-context\nviewbox 0 0 640 480\nfill 'url(https://x/|id)'",
    ],
)
def test_s32_what_is_no_picture_is_refused(content):
    with pytest.raises(ImageRefused) as refusal:
        decode_image(content)
    assert refusal.value.code == "frame_corrupt"
