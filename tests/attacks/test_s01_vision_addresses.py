"""S01: addresses that would make FFmpeg read files or run things are refused by us and again by FFmpeg's lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

from tests.support.clips import make_clip
from tests.support.http_camera import HttpCamera
from tests.support.policies import LoopbackOnly
from workers.vision.errors import SourceError, SourceFault
from workers.vision.sources import RefuseAll, SourceOptions, open_source, validate_url

EVIL = [
    "file:///etc/passwd",
    "file:/etc/passwd",
    "FILE:///etc/passwd",
    "file://localhost/etc/passwd",
    "/etc/passwd",
    "../../etc/passwd",
    "concat:/etc/passwd|/etc/hosts",
    "concatf:/tmp/list",
    "subfile,,start,0,end,100,,:/etc/passwd",
    "subfile:/etc/passwd",
    "data:text/plain;base64,AAAA",
    "pipe:0",
    "pipe:",
    "fd:0",
    "exec:id",
    "-i /etc/passwd",
    "-i",
    "crypto:/etc/passwd",
    "cache:file:///etc/passwd",
    "async:file:///etc/passwd",
    "hls+file:///etc/passwd",
    "hls+http://127.0.0.1/x",
    "unix:/var/run/docker.sock",
    "tcp://127.0.0.1:6379",
    "udp://239.0.0.1:1234",
    "gopher://127.0.0.1:6379/_INFO",
    "ftp://127.0.0.1/x",
    "smb://host/share",
    "tee:/tmp/x",
    "ffrtmphttp://127.0.0.1/x",
    "rtmpt://127.0.0.1/x",
    "lavfi:testsrc",
    "/dev/video0",
    "http:///etc/passwd",
    "rtsp://host\n-i /etc/passwd",
    "rtsp:file:///etc/passwd",
    "http://[::1/x",
    " rtsp://host/x",
]


@pytest.mark.parametrize("url", EVIL)
def test_s01_refused_before_ffmpeg(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("FFmpeg was reached")

    monkeypatch.setattr(av, "open", never)
    with pytest.raises(SourceError) as caught:
        open_source(url, policy=LoopbackOnly(80, 6379))
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize("url", [url for url in EVIL if not url.startswith(("file:///", "FILE:///"))])
def test_s01_refused_by_the_check_that_forms_use(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        validate_url(url)
    assert caught.value.fault in (SourceFault.INVALID_URL, SourceFault.UNSUPPORTED_SCHEME)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "file:///etc/passwd", "/proc/self/environ", "/dev/zero", "/"]
)
def test_s01_files_outside_the_roots_stay_closed(path: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(path, policy=RefuseAll(), options=SourceOptions(file_roots=(tmp_path,)))
    assert caught.value.fault is SourceFault.REFUSED


def test_s01_every_open_names_the_protocols_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The second wall: each av.open carries a protocol_whitelist without file, and a list of formats."""
    seen: list[dict[str, str]] = []
    real = av.open

    def watching(*arguments: Any, **settings: Any) -> Any:
        seen.append(settings["options"])
        return real(*arguments, **settings)

    clip = make_clip(frames=10)
    (tmp_path / "a.ts").write_bytes(clip)
    with HttpCamera() as camera:
        camera.add("/a.ts", clip)
        policy = LoopbackOnly(camera.port)
        monkeypatch.setattr(av, "open", watching)
        for url in (
            camera.url("/a.ts"),
            str(tmp_path / "a.ts"),
            camera.url("/x", "rtsp"),
            camera.url("/x", "rtmp"),
        ):
            try:
                open_source(
                    url, policy=policy, options=SourceOptions(file_roots=(tmp_path,), connect_timeout=2.0)
                ).close()
            except SourceError:
                continue
    assert len(seen) == 4
    for settings in seen:
        allowed = set(settings["protocol_whitelist"].split(","))
        assert not allowed & {"file", "concat", "subfile", "data", "pipe", "fd", "http", "crypto", "unix"}
        assert settings["format_whitelist"]


def test_s01_ffmpeg_itself_refuses_a_nested_file(tmp_path: Path) -> None:
    """The lists that we pass do stop FFmpeg: an HLS playlist as a local file cannot open its segment."""
    (tmp_path / "a.ts").write_bytes(make_clip(frames=10))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tmp_path}/a.ts\n#EXT-X-ENDLIST\n"
    (tmp_path / "a.m3u8").write_text(playlist)
    with pytest.raises(av.error.FFmpegError):
        av.open(str(tmp_path / "a.m3u8"), options={"protocol_whitelist": "rtp,tcp"})
