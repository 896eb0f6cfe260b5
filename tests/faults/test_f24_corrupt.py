"""F24: damaged pictures are flagged and never handed on; when there are many, the stream is opened again over TCP."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.clips import make_clip
from tests.support.holding import hurried
from tests.support.http_camera import HttpCamera
from tests.support.policies import LoopbackOnly
from tests.support.waiting import wait_until
from workers.vision.frames import Frame
from workers.vision.holder import Demand, StreamHolder, StreamWish
from workers.vision.holder.watch import PictureWatch
from workers.vision.sources import AddressPolicy, SourceOptions, VideoSource, open_source


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

    (tmp_path / "good.ts").write_bytes(clip)
    options = SourceOptions(file_roots=(tmp_path,))
    with open_source(str(tmp_path / "good.ts"), options=options) as source:
        whole = [source.decode(packet) for packet in source]
    good = {round((frame.pts or 0.0) * 25): frame.image for frame in whole if frame is not None}
    assert len(good) == 60
    (tmp_path / "bad.ts").write_bytes(damaged_clip(clip, damage))
    clean = flagged = 0
    with open_source(str(tmp_path / "bad.ts"), options=options) as source:
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


def test_f24_more_than_a_fifth_damaged_opens_again_over_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for UDP, the stream goes on over TCP, and nothing damaged reached the consumer on the way."""
    transports: list[str] = []

    def opened(url: str, *, policy: AddressPolicy, options: SourceOptions) -> VideoSource:
        transports.append(options.transport)
        return open_source(url, policy=policy, options=options)

    monkeypatch.setattr("workers.vision.holder.stream.open_source", opened)
    clip = make_clip(frames=50, gop=5)
    bad = damaged_clip(clip, lambda index, data: flip(data, index) if index % 15 == 0 else data)
    frames: list[Frame] = []
    with HttpCamera() as camera:
        camera.add_live("/live", bad, pace=0.004)
        wish = StreamWish(
            camera.url("/live"), (Demand("keyframes", 0.01),), options=SourceOptions(transport="udp")
        )
        with StreamHolder(
            LoopbackOnly(camera.port), lambda _, frame, __: frames.append(frame), backoff=hurried
        ) as holder:
            holder.reconcile({"a": wish})
            assert wait_until(lambda: len(transports) >= 2)
            status = holder.status()["a"]
    assert transports[:2] == ["udp", "tcp"]
    assert set(transports[1:]) == {"tcp"}
    assert status.counters.corrupt > 0
    assert frames
    assert not any(frame.corrupt for frame in frames)


def test_f24_a_tenth_damaged_degrades_and_does_not_reconnect() -> None:
    watch = PictureWatch()
    for second in range(120):
        watch.decode(float(second), damaged=second % 10 == 0)
        assert not watch.too_damaged
    assert watch.cause == "corrupt"
    for second in range(120, 132):
        watch.decode(float(second), damaged=True)
    assert watch.too_damaged
