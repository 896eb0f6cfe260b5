"""Clips on disk: what is in the file, when it is made, that it is made once."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from demo.clips import NAMES, clip_paths, ensure_clips, renderer_version
from tests.demo.clips import short_clip


def test_a_clip_is_h264_of_12_frames_a_second_with_a_keyframe_every_24(tmp_path: Path) -> None:
    clip = short_clip(tmp_path, "intrusion", 5)
    with av.open(str(clip.video)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (640, 360)
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == 12
        assert [n for n, packet in enumerate(packets) if packet.is_keyframe] == [0, 24, 48]
        assert all(packet.pts == packet.dts for packet in packets)
    truth = json.loads(clip.truth.read_text("utf-8"))
    assert truth["fps"] == 12
    assert len(truth["frames"]) == len(packets) == 60
    assert truth["zones"]["road"][0] == truth["zones"]["road"][-1]


def test_equal_sources_make_equal_files(tmp_path: Path) -> None:
    first, second = (short_clip(tmp_path / folder, "goes_dark", 2) for folder in ("a", "b"))
    assert first.video.read_bytes() == second.video.read_bytes()
    assert first.truth.read_bytes() == second.truth.read_bytes()


def test_what_is_there_is_not_rendered_again(tmp_path: Path) -> None:
    clip = short_clip(tmp_path, "quiet_park", 1)
    before = clip.video.stat().st_mtime_ns
    told: list[tuple[str, int, int]] = []
    found = ensure_clips(tmp_path, ["quiet_park"], lambda name, done, total: told.append((name, done, total)))
    assert found["quiet_park"].video == clip.video
    assert clip.video.stat().st_mtime_ns == before
    assert told == [("quiet_park", 1, 1)]
    assert not list(tmp_path.glob("*.part"))


def test_names_carry_the_renderers_version(tmp_path: Path) -> None:
    assert all(renderer_version() in clip_paths(tmp_path, name).video.name for name in NAMES)
    with pytest.raises(KeyError):
        clip_paths(tmp_path, "nowhere")


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
