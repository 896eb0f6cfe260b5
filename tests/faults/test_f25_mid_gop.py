"""F25: a stream that starts in mid-GOP is waited for, two GOPs long, without a storm of exceptions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.test_f24_corrupt import damaged_clip, flip
from tests.support.clips import make_clip
from tests.support.holding import hurried
from tests.support.http_camera import HttpCamera
from tests.support.policies import LoopbackOnly
from tests.support.waiting import wait_until
from workers.vision.errors import SourceError, SourceFault
from workers.vision.holder import Demand, StreamHolder, StreamWish
from workers.vision.keyframes import capture_keyframe
from workers.vision.sources import SourceOptions, open_source

CLIP = {"frames": 60, "gop": 20}


def write(path: Path, data: bytes) -> SourceOptions:
    path.write_bytes(data)
    return SourceOptions(file_roots=(path.parent,))


def test_f25_a_clip_cut_at_a_p_picture_waits_for_its_keyframe(tmp_path: Path) -> None:
    cut = damaged_clip(make_clip(**CLIP), lambda index, data: None if index < 7 else data)
    options = write(tmp_path / "cut.ts", cut)
    frame = capture_keyframe(str(tmp_path / "cut.ts"), policy=None, options=options)
    assert (frame.keyframe, frame.corrupt, frame.index) == (True, False, 13)


def test_f25_full_decode_of_the_same_clip_raises_nothing_and_shows_nothing_broken(tmp_path: Path) -> None:
    cut = damaged_clip(make_clip(**CLIP), lambda index, data: None if index < 7 else data)
    options = write(tmp_path / "cut.ts", cut)
    with open_source(str(tmp_path / "cut.ts"), options=options) as source:
        frames = [source.decode(packet) for packet in source]
    assert not any(frame is not None and not frame.corrupt for frame in frames[:13])
    assert sum(frame is not None and not frame.corrupt for frame in frames) >= 38


def test_f25_no_keyframe_at_all_is_one_clear_error(tmp_path: Path) -> None:
    bare = damaged_clip(make_clip(frames=60, gop=60), lambda index, data: None if index == 0 else data)
    options = write(tmp_path / "bare.ts", bare)
    with pytest.raises(SourceError) as caught:
        capture_keyframe(str(tmp_path / "bare.ts"), policy=None, options=options)
    assert caught.value.fault is SourceFault.NO_KEYFRAME


def test_f25_damaged_keyframes_are_skipped_for_two_gops_then_given_up() -> None:
    bad = damaged_clip(make_clip(**CLIP), lambda index, data: flip(data, index) if index % 20 == 0 else data)
    one = damaged_clip(make_clip(**CLIP), lambda index, data: flip(data, index) if index == 0 else data)
    with HttpCamera() as camera:
        camera.add_live("/bad", bad, pace=0.002)
        camera.add("/one", one)
        policy = LoopbackOnly(camera.port)
        with pytest.raises(SourceError) as caught:
            capture_keyframe(camera.url("/bad"), policy=policy)
        frame = capture_keyframe(camera.url("/one"), policy=policy)
    assert caught.value.fault is SourceFault.NO_KEYFRAME
    assert frame.index == 20


def test_f25_the_deadline_holds_for_an_endless_gop() -> None:
    clip = damaged_clip(make_clip(frames=60, gop=60), lambda index, data: None if index == 0 else data)
    with HttpCamera() as camera:
        camera.add_live("/live", clip)
        with pytest.raises(SourceError) as caught:
            capture_keyframe(camera.url("/live"), policy=LoopbackOnly(camera.port), deadline=2.0)
    assert caught.value.fault in (SourceFault.TIMEOUT, SourceFault.NO_KEYFRAME)


def test_f25_a_held_stream_without_keyframes_is_opened_again_quietly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clip = damaged_clip(make_clip(frames=60, gop=60), lambda index, data: None if index == 0 else data)
    frames: list[object] = []
    with HttpCamera() as camera:
        camera.add_live("/live", clip, pace=0.002)
        with StreamHolder(
            LoopbackOnly(camera.port), lambda *frame: frames.append(frame), backoff=hurried
        ) as holder:
            holder.reconcile({"a": StreamWish(camera.url("/live"), (Demand("fps", 0.1),))})
            assert wait_until(lambda: holder.status()["a"].counters.reconnects >= 2, 60)
            status = holder.status()["a"]
            tries = len(camera.requests)
    assert status.counters.last_error.startswith("no_keyframe")
    assert frames == []
    assert status.counters.packets < (tries + 1) * 520  # two groups of pictures each time, not more
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
