"""F24: damaged pictures are flagged and never handed on. F26: a change of size goes through."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from tests.faults.test_f21_reconnect import hurried, wait_until
from tests.support.clips import make_clip
from tests.support.http_camera import HttpCamera
from tests.support.policies import LoopbackOnly
from workers.vision.frames import Frame
from workers.vision.holder import Demand, StreamHolder, StreamWish
from workers.vision.sources import SourceOptions, open_source


def damaged_clip(clip: bytes, damage: Callable[[int, bytes], bytes | None]) -> bytes:
    """The clip with each packet passed through `damage(index, data)`; None drops it."""
    target = io.BytesIO()
    with av.open(io.BytesIO(clip)) as source, av.open(target, "w", format="mpegts") as output:
        stream = source.streams.video[0]
        out = output.add_stream_from_template(stream)
        for index, packet in enumerate(packet for packet in source.demux(stream) if packet.size):
            data = damage(index, bytes(packet))
            if data is None:
                continue
            copy = av.Packet(data)
            copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
            copy.is_keyframe, copy.stream = packet.is_keyframe, out
            output.mux(copy)
    return target.getvalue()


def flip(data: bytes, seed: int) -> bytes:
    chance, changed = random.Random(seed), bytearray(data)
    for _ in range(30):
        changed[chance.randrange(len(changed) // 4, len(changed))] ^= 0xFF
    return bytes(changed)


@pytest.mark.parametrize("fault", ["flip", "drop"])
def test_f24_no_damaged_picture_is_unflagged(tmp_path: Path, fault: str) -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(0, 255, (360, 640, 3), dtype=np.uint8)
    clip = make_clip(frames=60, gop=15, width=640, height=360, paint=lambda i: np.roll(base, i * 3, 1))

    def damage(index: int, data: bytes) -> bytes | None:
        if index not in (20, 24, 33):
            return data
        return flip(data, index) if fault == "flip" else None

    with av.open(io.BytesIO(clip)) as source:
        good = {
            round(float(f.pts * f.time_base) * 25): f.to_ndarray(format="bgr24")
            for f in source.decode(video=0)
        }
    (tmp_path / "bad.ts").write_bytes(damaged_clip(clip, damage))
    clean = flagged = 0
    with open_source(str(tmp_path / "bad.ts"), options=SourceOptions(file_roots=(tmp_path,))) as source:
        for packet in source:
            frame = source.decode(packet)
            if frame is None:
                continue
            flagged += frame.corrupt
            if not frame.corrupt:
                assert frame.pts is not None
                clean += 1
                truth = good[round(frame.pts * 25)].astype(int)
                assert np.abs(frame.image.astype(int) - truth).mean() < 1.0
    assert flagged > 0
    assert clean >= 25


def test_f24_damaged_keyframes_are_not_analysed_and_lead_to_a_reconnect() -> None:
    clip = make_clip(frames=50, gop=5)
    bad = damaged_clip(clip, lambda index, data: flip(data, index) if index % 10 == 0 else data)
    frames: list[Frame] = []
    with HttpCamera() as camera:
        camera.add_live("/live", bad, pace=0.004)
        with StreamHolder(
            LoopbackOnly(camera.port), lambda _, frame, __: frames.append(frame), backoff=hurried
        ) as holder:
            holder.reconcile({"a": StreamWish(camera.url("/live"), (Demand("keyframes", 0.01),))})
            assert wait_until(lambda: holder.status()["a"].counters.reconnects >= 2)
            assert "corrupt" in holder.status()["a"].counters.last_error
    assert not any(frame.corrupt for frame in frames)


def test_f26_another_size_in_mid_stream_comes_through(tmp_path: Path) -> None:
    small, large = make_clip(frames=20), make_clip(frames=20, width=640, height=360)
    (tmp_path / "a.ts").write_bytes(small + large)
    sizes = []
    with open_source(str(tmp_path / "a.ts"), options=SourceOptions(file_roots=(tmp_path,))) as source:
        for packet in source:
            if packet.is_keyframe:
                frame = source.decode_keyframe(packet)
                assert frame is not None
                sizes.append(frame.image.shape[:2])
    assert sizes == [(180, 320)] * 2 + [(360, 640)] * 2
