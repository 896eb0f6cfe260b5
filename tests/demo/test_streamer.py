"""The streamer over real HTTP: endless, paced, one clock for all clients of a clip."""

from __future__ import annotations

import io
import time
from itertools import pairwise
from pathlib import Path

import aiohttp
import av
import pytest
from aiohttp.test_utils import TestServer

from demo.remux import LiveClip, Muxer
from demo.streamer import Streamer
from tests.demo.clips import short_clip


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    short_clip(folder, "quiet_park", 4)
    return folder


async def read_for(url: str, seconds: float) -> bytes:
    """What a client gets within some seconds."""
    data = bytearray()
    until = time.monotonic() + seconds
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        async for chunk in response.content.iter_any():
            data += chunk
            if time.monotonic() > until:
                return bytes(data)
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("form", ["flv", "ts"])
async def test_a_live_stream_starts_with_a_keyframe_and_decodes(cache: Path, form: str) -> None:
    async with TestServer(Streamer(cache).application()) as server:
        data = await read_for(str(server.make_url(f"/live/quiet_park.{form}")), 1.0)
    with av.open(io.BytesIO(data), format="flv" if form == "flv" else "mpegts") as container:
        frames = list(container.decode(video=0))
    assert frames[0].key_frame
    assert 5 <= len(frames) <= 24 + 24  # from the last keyframe until now, then at its own pace


async def test_an_offline_or_unknown_camera_answers_404_and_files_have_ranges(cache: Path) -> None:
    async with TestServer(Streamer(cache).application()) as server, aiohttp.ClientSession() as session:
        for path in (
            "/live/depot_gate.flv",
            "/live/nowhere.ts",
            "/file/bag_left.mp4",
            "/live/..%2fquiet_park.flv",
        ):
            async with session.get(server.make_url(path)) as response:
                assert response.status == 404
        headers = {"Range": "bytes=4-7"}
        async with session.get(server.make_url("/file/quiet_park.mp4"), headers=headers) as response:
            assert response.status == 206
            assert await response.read() == b"ftyp"
        async with session.get(server.make_url("/")) as response:
            ready = {row["name"]: row["ready"] for row in await response.json()}
    assert ready["quiet_park"]
    assert not ready["bag_left"]


def test_timestamps_go_on_over_the_loop(cache: Path) -> None:
    streamer = Streamer(cache)
    clip = streamer.clip("quiet_park")
    assert clip is not None
    muxer = Muxer(clip, "flv")
    data = muxer.write(range(24, 130), 24)
    muxer.close()
    with av.open(io.BytesIO(data), format="flv") as container:
        times = [packet.pts for packet in container.demux(video=0) if packet.size]
    steps = [after - before for before, after in pairwise(times)]
    assert len(times) == 106
    assert set(steps) <= {83, 84}


def test_frames_are_those_of_the_clip_never_encoded_again(cache: Path) -> None:
    streamer = Streamer(cache)
    clip = streamer.clip("quiet_park")
    assert clip is not None
    muxer = Muxer(clip, "flv")
    data = muxer.write(range(48), 0)
    muxer.close()
    with av.open(io.BytesIO(data), format="flv") as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    assert tuple(packets) == clip.packets[:48]


@pytest.mark.parametrize(
    ("number", "keyframe"), [(0, 0), (23, 0), (24, 24), (47, 24), (48, 48), (71, 48), (75, 72)]
)
def test_who_connects_begins_at_the_last_keyframe_of_the_common_clock(number: int, keyframe: int) -> None:
    clip = LiveClip(Path("x.mp4"), (b"",) * 48, (0, 24), 12)
    assert clip.keyframe_before(number) == keyframe
    assert clip.frames_at(number / 12 + 0.001) == number
