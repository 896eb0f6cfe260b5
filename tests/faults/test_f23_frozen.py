"""F23: a picture that stands still is found in 30 s although its clock ticks; a quiet noisy scene is not."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import av
import cv2
import numpy as np
import pytest

from tests.support.clips import make_clip
from workers.vision.frames import Frame
from workers.vision.holder.watch import PictureWatch
from workers.vision.quality import HealthDetector, HealthState

START = datetime(2026, 1, 1, tzinfo=UTC)


def street(noise: float, index: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    image = cv2.resize(rng.integers(40, 200, (12, 20, 3), dtype=np.uint8), (640, 360)).astype(np.float32)
    image += np.random.default_rng(index).normal(0, noise, (360, 640, 1))
    return np.clip(image, 0, 255).astype(np.uint8)


def with_clock(image: np.ndarray, index: int) -> np.ndarray:
    text = f"2026-01-01 00:00:{index / 10:05.2f}"
    return cv2.putText(image.copy(), text, (10, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2)


def run(frames: list[np.ndarray], every: float) -> list[bool]:
    detector = HealthDetector()
    return [
        HealthState.FROZEN
        in detector.update(Frame(image, START + timedelta(seconds=index * every), keyframe=index % 10 == 0))
        for index, image in enumerate(frames)
    ]


def test_f23_identical_frames_with_a_ticking_clock() -> None:
    still = street(2.0, 0)
    found = run([with_clock(still, index) for index in range(320)], 0.1)
    assert not any(found[:300])
    assert all(found[301:])


def test_f23_a_static_noisy_scene_is_not_frozen() -> None:
    assert not any(run([with_clock(street(2.0, index), index) for index in range(400)], 0.1))


@pytest.mark.parametrize(("noise", "frozen"), [(0.0, True), (2.5, False)])
def test_f23_through_an_encoder(noise: float, frozen: bool) -> None:
    """The camera's encoder smooths noise away between keyframes; keyframes still tell the two apart."""
    clip = make_clip(
        frames=80,
        gop=5,
        width=640,
        height=360,
        fps=2,
        paint=lambda index: with_clock(street(noise, index), index),
        options={"b": "200k"},
    )
    with av.open(io.BytesIO(clip)) as source:
        images = [frame.to_ndarray(format="bgr24") for frame in source.decode(video=0)]
        detector = HealthDetector()
        found = [
            HealthState.FROZEN
            in detector.update(Frame(image, START + timedelta(seconds=index / 2), keyframe=index % 5 == 0))
            for index, image in enumerate(images)
        ]
    assert any(found) is frozen


def test_f23_the_stream_is_degraded_with_its_cause() -> None:
    """What the holder's state says, at one keyframe a second."""
    watch, still = PictureWatch(), street(0.0, 0)
    causes = []
    for second in range(45):
        moment = START + timedelta(seconds=second)
        watch.frame(Frame(with_clock(still, second * 10), moment, keyframe=True), moment.timestamp())
        causes.append(watch.cause)
    assert causes[:29] == [""] * 29
    assert causes[-1] == "frozen"


def test_f23_movement_ends_it() -> None:
    still = street(0.0, 0)
    moved = still.copy()
    moved[150:230, 200:300] = 255
    found = run([still] * 320 + [moved] * 5, 0.1)
    assert found[319]
    assert not found[320]
