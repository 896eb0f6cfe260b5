"""S02: playlists that point at files or inward are stopped, and no error repeats what was read."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from tests.support.clips import make_clip
from tests.support.http_camera import HttpCamera
from tests.support.policies import LoopbackOnly
from workers.vision.errors import SourceError, SourceFault
from workers.vision.keyframes import capture_keyframe
from workers.vision.sources import SourceOptions

HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"


def media(uri: str) -> str:
    return f"{HEAD}#EXTINF:2,\n{uri}\n#EXT-X-ENDLIST\n"


def master(uri: str) -> str:
    return f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{uri}\n"


TARGETS = [
    "file:///etc/passwd",
    "/etc/passwd\x00",
    "concat:/etc/passwd",
    "subfile,,start,0,end,9,,:/etc/passwd",
    "data:text/plain,SECRET",
    "gopher://127.0.0.1:6379/_",
    "rtsp://127.0.0.1:554/x",
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:6379/x",
    "http://[::1]:5432/",
    "http://2130706433:1/",
    "//169.254.169.254/x",
    "http://127.0.0.1:{other}/secret",
]


@pytest.mark.parametrize("shape", [media, master], ids=["segment", "variant"])
@pytest.mark.parametrize("target", TARGETS)
def test_s02_a_nested_address_is_vetted(shape: Callable[[str], str], target: str) -> None:
    with HttpCamera() as inner, HttpCamera() as camera:
        inner.add("/secret", b"root:SECRET")
        evil = target.replace("{other}", str(inner.port))
        camera.add("/evil.m3u8", shape(evil).encode())
        with pytest.raises(SourceError) as caught:
            capture_keyframe(camera.url("/evil.m3u8"), policy=LoopbackOnly(camera.port))
    # "subfile,,…" is no scheme to a playlist: it reads as a relative path of the same server.
    assert caught.value.fault is (
        SourceFault.NOT_FOUND if target.startswith("subfile") else SourceFault.REFUSED
    )
    assert inner.requests == []
    for hidden in ("SECRET", "passwd", "169.254", "6379", evil):
        assert hidden not in str(caught.value)


def test_s02_a_map_is_vetted_too() -> None:
    with HttpCamera() as camera:
        text = f'{HEAD}#EXT-X-MAP:URI="file:///etc/passwd"\n#EXTINF:2,\nx.m4s\n#EXT-X-ENDLIST\n'
        camera.add("/evil.m3u8", text.encode())
        with pytest.raises(SourceError) as caught:
            capture_keyframe(camera.url("/evil.m3u8"), policy=LoopbackOnly(camera.port))
    assert caught.value.fault is SourceFault.REFUSED


def test_s02_a_segment_that_redirects_inward_is_not_followed() -> None:
    with HttpCamera() as inner, HttpCamera() as camera:
        inner.add("/secret", b"SECRET")
        camera.add("/evil.m3u8", media("seg.ts").encode())
        camera.add_redirect("/seg.ts", inner.url("/secret"))
        with pytest.raises(SourceError) as caught:
            capture_keyframe(camera.url("/evil.m3u8"), policy=LoopbackOnly(camera.port, inner.port))
    assert caught.value.fault is SourceFault.REFUSED
    assert inner.requests == []


def test_s02_a_segment_that_is_a_playlist_or_text_gives_nothing_away() -> None:
    with HttpCamera() as camera:
        camera.add("/evil.m3u8", media("seg.ts").encode())
        camera.add("/seg.ts", media("file:///etc/passwd").encode() + b"SECRET" * 50)
        with pytest.raises(SourceError) as caught:
            capture_keyframe(camera.url("/evil.m3u8"), policy=LoopbackOnly(camera.port))
    assert "SECRET" not in repr(caught.value.__dict__)


@pytest.mark.parametrize(
    ("body", "options"),
    [
        (b"#EXTM3U\n" + b"#x\n" * 600_000, SourceOptions()),
        (b"#EXTM3U\n" + b"#\n" * 30_000, SourceOptions()),
        (b"#EXTM3U\n" + b"#EXTINF:1,\na.ts\n" * 9_999, SourceOptions(max_playlist_bytes=1000)),
        (b"#EXTM3U\n" + b"#EXTINF:1,\na\n" * 9_500 + b"a\n" * 900, SourceOptions()),
    ],
)
def test_s02_giant_playlists_are_cut_off(body: bytes, options: SourceOptions) -> None:
    with HttpCamera() as camera:
        camera.add("/big.m3u8", body)
        with pytest.raises(SourceError) as caught:
            capture_keyframe(camera.url("/big.m3u8"), policy=LoopbackOnly(camera.port), options=options)
    assert caught.value.fault is SourceFault.TOO_LARGE


def test_s02_playlists_in_a_circle_end() -> None:
    with HttpCamera() as camera:
        camera.add("/a.m3u8", master("a.m3u8").encode())
        with pytest.raises(SourceError):
            capture_keyframe(camera.url("/a.m3u8"), policy=LoopbackOnly(camera.port))
        assert len(camera.requests) == 2


def test_s02_a_segment_beyond_the_cap_is_cut_off() -> None:
    with HttpCamera() as camera:
        camera.add("/a.m3u8", media("seg.ts").encode())
        camera.add("/seg.ts", make_clip(frames=50, gop=50) * 4)
        options = SourceOptions(max_segment_bytes=2_000)
        with pytest.raises(SourceError) as caught:
            capture_keyframe(camera.url("/a.m3u8"), policy=LoopbackOnly(camera.port), options=options)
    assert caught.value.fault is SourceFault.TOO_LARGE


def test_s02_dribbling_headers_end_at_the_deadline() -> None:
    stop = threading.Event()

    def dribble(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            try:
                while not stop.wait(0.1):
                    connection.sendall(b"H")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=dribble, args=(server,), daemon=True).start()
        started = time.monotonic()
        with pytest.raises(SourceError) as caught:
            capture_keyframe(
                f"http://127.0.0.1:{port}/x",
                policy=LoopbackOnly(port),
                options=SourceOptions(connect_timeout=1.0),
            )
        stop.set()
    assert caught.value.fault is SourceFault.TIMEOUT
    assert time.monotonic() - started < 15
