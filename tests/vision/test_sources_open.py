"""Real openings: HTTP-FLV, MPEG-TS, HLS and RTSP from a loopback camera, files, folders of images."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.clips import VIDEOS, make_clip, moving_picture, write_clip
from tests.support.http_camera import HttpCamera
from tests.support.policies import LoopbackOnly
from tests.support.rtsp_server import RtspServer, available
from workers.vision.errors import SourceError, SourceFault
from workers.vision.keyframes import capture_keyframe, write_jpeg
from workers.vision.probe import probe
from workers.vision.sources import SourceOptions, open_source

MEDIA_PLAYLIST = (
    b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n/clip.ts\n#EXTINF:2,\nclip.ts\n#EXT-X-ENDLIST\n"
)
MASTER = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nnone.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=9\nlist.m3u8\n"


def camera(clip: bytes) -> HttpCamera:
    made = HttpCamera()
    made.add_live("/live.ts", clip)
    made.add_live("/live.flv", clip, kind="video/x-flv")
    made.add("/clip.ts", clip)
    made.add("/list.m3u8", MEDIA_PLAYLIST)
    made.add("/master.m3u8", MASTER)
    made.add("/page", b"<html>hello</html>", "text/html")
    made.add("/locked", b"", status=401)
    made.add_redirect("/moved", made.url("/live.ts"))
    return made


@pytest.mark.parametrize("path", ["/live.ts", "/live.flv", "/clip.ts", "/list.m3u8", "/master.m3u8"])
def test_http_sources_give_keyframes(path: str) -> None:
    with camera(make_clip(frames=20, gop=10)) as server:
        policy = LoopbackOnly(server.port)
        frame = capture_keyframe(server.url(path), policy=policy)
    assert (frame.width, frame.height, frame.keyframe, frame.corrupt) == (320, 180, True, False)
    assert set(policy.asked) == {("127.0.0.1", server.port)}


def test_the_host_header_names_the_host_and_the_policy_is_asked_once_a_connection() -> None:
    with camera(make_clip(frames=10)) as server:
        policy = LoopbackOnly(server.port)
        capture_keyframe(f"http://u:p@camera.test:{server.port}/clip.ts", policy=policy)
    headers = server.requests[0][1]
    assert headers["Host"] == f"camera.test:{server.port}"
    assert headers["Authorization"].startswith("Basic ")
    assert policy.asked == [("camera.test", server.port)]


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/nothing", SourceFault.NOT_FOUND),
        ("/locked", SourceFault.UNAUTHORISED),
        ("/moved", SourceFault.REFUSED),
        ("/page", SourceFault.NO_VIDEO),
    ],
)
def test_http_failures_are_told_in_words(path: str, fault: SourceFault) -> None:
    with camera(b"") as server, pytest.raises(SourceError) as caught:
        probe(server.url(path), LoopbackOnly(server.port))
    assert caught.value.fault is fault
    assert caught.value.message.endswith(".")


def test_probe_says_what_it_found() -> None:
    with camera(make_clip(frames=60, gop=10)) as server:
        found = probe(server.url("/live.ts"), LoopbackOnly(server.port))
    assert (found.codec, found.width, found.height, found.gop, found.has_audio) == (
        "h264",
        320,
        180,
        10,
        False,
    )
    assert found.fps == pytest.approx(25, abs=1)
    assert found.browser_playable
    assert found.clock_offset is not None
    assert abs(found.clock_offset) < 3


def test_probe_says_why_a_browser_cannot_play(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.avi", codec="mpeg4", container="avi")
    found = probe(str(path), None, options=SourceOptions(file_roots=(tmp_path,)))
    assert not found.browser_playable
    assert "MPEG-4" in found.browser_reason


def test_without_a_policy_nothing_is_called() -> None:
    with camera(make_clip(frames=10)) as server, pytest.raises(SourceError) as caught:
        open_source(server.url("/clip.ts"))
    assert caught.value.fault is SourceFault.REFUSED
    assert server.requests == []


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_rtsp(tmp_path: Path, transport: str) -> None:
    if reason := available():
        pytest.skip(reason)
    clip = write_clip(tmp_path / "loop.ts", frames=50, gop=10)
    with RtspServer(clip, user="admin", password="p@ss") as server:
        policy = LoopbackOnly(server.port)
        options = SourceOptions(transport=transport)
        url = f"rtsp://admin:p%40ss@127.0.0.1:{server.port}/camera"
        frame = capture_keyframe(url, policy=policy, options=options)
        with pytest.raises(SourceError) as caught:
            capture_keyframe(server.url.replace("p@ss", "wrong"), policy=policy, options=options)
    assert (frame.width, frame.height) == (320, 180)
    assert caught.value.fault is SourceFault.UNAUTHORISED


def test_files_only_inside_the_roots(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    write_clip(inside / "a.ts", frames=10)
    write_clip(outside / "b.ts", frames=10)
    (inside / "link.ts").symlink_to(outside / "b.ts")
    options = SourceOptions(file_roots=(inside,))
    assert capture_keyframe(f"file://{inside}/a.ts", policy=None, options=options).width == 320
    for path in (outside / "b.ts", inside / "link.ts", inside / ".." / "out" / "b.ts", inside / "none.ts"):
        with pytest.raises(SourceError) as caught:
            open_source(str(path), options=options)
        assert caught.value.fault in (SourceFault.REFUSED, SourceFault.NOT_FOUND)


def test_a_playlist_or_concat_script_on_disk_is_no_video(tmp_path: Path) -> None:
    options = SourceOptions(file_roots=(tmp_path,))
    for name, text in {
        "a.m3u8": "#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        "b.ts": "ffconcat version 1.0\nfile /etc/passwd\n",
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(SourceError):
            open_source(str(tmp_path / name), options=options)


def test_a_looped_file_keeps_its_time_rising(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.ts", frames=10)
    options = SourceOptions(file_roots=(tmp_path,), loop=True)
    times, frames = [], []
    with open_source(str(tmp_path / "a.ts"), options=options) as source:
        for packet in itertools.islice(source, 35):
            times.append(packet.time)
            frames.append(source.decode(packet))
    assert not any(frame is not None and frame.corrupt for frame in frames)
    assert times == sorted(set(times))
    assert (times[-1] - times[0]).total_seconds() == pytest.approx(34 / 25, abs=0.1)


def test_a_folder_of_images(tmp_path: Path) -> None:
    paint = moving_picture()
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.jpg"), paint(index))
    (tmp_path / "notes.txt").write_text("no image")
    options = SourceOptions(file_roots=(tmp_path,), image_interval=5.0)
    with open_source(str(tmp_path), options=options) as source:
        frames = [source.decode(packet) for packet in source]
    assert [frame.image.shape for frame in frames if frame] == [(180, 320, 3)] * 3
    assert frames[0] is not None
    assert frames[2] is not None
    assert (frames[2].time - frames[0].time).total_seconds() == pytest.approx(10)


def test_jpeg_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.ts", frames=10)
    frame = capture_keyframe(
        str(tmp_path / "a.ts"), policy=None, options=SourceOptions(file_roots=(tmp_path,))
    )
    target = write_jpeg(frame, tmp_path / "frame.jpg")
    assert cv2.imread(str(target)).shape == (180, 320, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ts", "frame.jpg"]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("one_by_one_persons.mp4", "h264"),
        ("asl_walk.mkv", "h264"),
        ("road_5_vehicles_msmpeg4.avi", "msmpeg4v2"),
        ("store_aisle.gif", "gif"),
    ],
)
def test_real_clips(name: str, codec: str) -> None:
    if not (VIDEOS / name).exists():
        pytest.skip("the shared media folder is not present")
    found = probe(str(VIDEOS / name), None, options=SourceOptions(file_roots=(VIDEOS,)))
    assert found.codec == codec
    assert found.browser_playable == (codec == "h264")


def test_after_a_gap_no_picture_of_before_is_shown(tmp_path: Path) -> None:
    def paint(index: int) -> np.ndarray:
        return np.full((180, 320, 3), 20 + 4 * index, np.uint8)

    clip = write_clip(tmp_path / "b.ts", frames=50, gop=10, paint=paint, options={"bf": "3"})
    shown: dict[bool, list[float]] = {}
    for forgets in (False, True):
        with open_source(str(clip), options=SourceOptions(file_roots=(tmp_path,))) as source:
            shown[forgets] = []
            for packet in source:
                if 12 <= packet.index < 30:
                    continue  # another camera's turn
                if packet.index == 30 and forgets:
                    source.forget()
                frame = source.decode(packet)
                if packet.index >= 30 and frame is not None:
                    shown[forgets].append(float(frame.image.mean()))
    assert shown[False][0] < 20 + 4 * 20, "the decoder holds pictures back"
    assert min(shown[True]) > 20 + 4 * 28
    assert len(shown[True]) > 10
