"""Addresses: what is accepted, what is refused before anything is contacted, what is hidden."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources import mask_url, validate_url

GOOD = [
    ("rtsp://cam/stream", "rtsp", "cam", 554),
    ("rtsp://admin:p%40ss@10.1.2.3:8554/h264?channel=1", "rtsp", "10.1.2.3", 8554),
    ("RTMP://host/live/1", "rtmp", "host", 1935),
    ("http://host:8080/live.flv", "http", "host", 8080),
    ("https://host/index.m3u8?token=x", "https", "host", 443),
    ("rtsp://[2001:db8::1]:554/a", "rtsp", "2001:db8::1", 554),
]


@pytest.mark.parametrize(("url", "scheme", "host", "port"), GOOD)
def test_good_addresses(url: str, scheme: str, host: str, port: int) -> None:
    checked = validate_url(url)
    assert (checked.scheme, checked.host, checked.port) == (scheme, host, port)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", SourceFault.INVALID_URL),
        ("rtsp://", SourceFault.INVALID_URL),
        ("rtsp:/cam/x", SourceFault.INVALID_URL),
        ("rtsp://cam:0/x", SourceFault.INVALID_URL),
        ("rtsp://cam:99999/x", SourceFault.INVALID_URL),
        ("rtsp://cam:abc/x", SourceFault.INVALID_URL),
        ("rtsp://cam/x y", SourceFault.INVALID_URL),
        ("rtsp://good\\@evil/x", SourceFault.INVALID_URL),
        ("rtsp://cam/x\r\nHost: evil", SourceFault.INVALID_URL),
        ("rtsp://" + "a" * 3000, SourceFault.INVALID_URL),
        ("ftp://cam/x", SourceFault.UNSUPPORTED_SCHEME),
        ("cam/x", SourceFault.UNSUPPORTED_SCHEME),
    ],
)
def test_bad_addresses(url: str, fault: SourceFault) -> None:
    with pytest.raises(SourceError) as caught:
        validate_url(url)
    assert caught.value.fault is fault


def test_the_vetted_address_replaces_the_host_and_nothing_else() -> None:
    checked = validate_url("rtsp://us%3Aer:p%40ss@camera.city:8554/a?x=1#frag")
    assert checked.with_address("10.0.0.7") == "rtsp://us%3Aer:p%40ss@10.0.0.7:8554/a?x=1"
    assert checked.with_address("2001:db8::7").startswith("rtsp://us%3Aer:p%40ss@[2001:db8::7]:8554/")


def test_files_need_a_root_to_be_a_path() -> None:
    assert validate_url("/srv/a.mp4", file_roots=[Path("/srv")]).path == "/srv/a.mp4"
    with pytest.raises(SourceError):
        validate_url("/srv/a.mp4")
    with pytest.raises(SourceError):
        validate_url("file:///srv/a.mp4", file_roots=[Path("/srv")], network_only=True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://user:secret@cam/x", "rtsp://user:***@cam/x"),
        ("rtsp://user:s@cr@t@cam/x", "rtsp://user:***@cam/x"),
        ("failed: http://h/x?token=abc&a=1", "failed: http://h/x?token=***&a=1"),
        ("rtmp://key@h/live", "rtmp://***@h/live"),
        ("rtsp://cam/x", "rtsp://cam/x"),
    ],
)
def test_passwords_are_hidden(text: str, shown: str) -> None:
    assert mask_url(text) == shown
