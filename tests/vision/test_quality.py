"""The gate and the camera's health on drawn, damaged and real pictures."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from tests.support.clips import VIDEOS
from workers.vision.frames import Frame
from workers.vision.quality import GateReason, HealthDetector, HealthState, gate
from workers.vision.sources import SourceOptions, open_source

START = datetime(2026, 1, 1, tzinfo=UTC)
Edit = Callable[[np.ndarray], np.ndarray]


def scene(seed: int = 0, noise: float = 2.0, frame: int = 0) -> np.ndarray:
    """A street-like picture, 640×360, with fresh sensor noise for each `frame`."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(40, 200, (9, 16, 3), dtype=np.uint8), (640, 360)).astype(np.float32)
    for _ in range(60):
        x, y = int(rng.integers(0, 600)), int(rng.integers(0, 330))
        colour = [int(value) for value in rng.integers(20, 235, 3)]
        cv2.rectangle(image, (x, y), (x + int(rng.integers(8, 60)), y + int(rng.integers(8, 60))), colour, -1)
    image += np.random.default_rng(1000 + frame).normal(0, noise, (360, 640, 1))
    return np.clip(image, 0, 255).astype(np.uint8)


def shot(image: np.ndarray, seconds: float = 0.0, *, keyframe: bool = True, corrupt: bool = False) -> Frame:
    return Frame(
        np.ascontiguousarray(image), START + timedelta(seconds=seconds), keyframe=keyframe, corrupt=corrupt
    )


def smeared(image: np.ndarray) -> np.ndarray:
    image = image.copy()
    image[180:] = image[180]
    return image


def half_grey(image: np.ndarray) -> np.ndarray:
    image = image.copy()
    image[150:] = 128
    return image


def half_green(image: np.ndarray) -> np.ndarray:
    image = image.copy()
    image[150:] = (0, 135, 0)
    return image


def cast(image: np.ndarray) -> np.ndarray:
    return np.clip(image * np.array([0.35, 1.0, 0.35]), 0, 255).astype(np.uint8)


def covered(image: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(5)
    return np.clip(60 + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8)


EDITS: list[tuple[str, Edit, GateReason]] = [
    ("good", lambda image: image, GateReason.OK),
    ("night", lambda image: (image * 0.25).astype(np.uint8), GateReason.OK),
    ("black", lambda image: (image * 0.04).astype(np.uint8), GateReason.BLACK),
    ("white", lambda image: np.full_like(image, 252), GateReason.WHITE),
    ("grey", half_grey, GateReason.GREY),
    ("green", half_green, GateReason.GREY),
    ("torn", smeared, GateReason.TORN),
    ("blue", lambda image: np.full_like(image, (200, 30, 10)), GateReason.BLANK),
    ("blurred", lambda image: cv2.GaussianBlur(image, (0, 0), 14), GateReason.BLURRED),
]


@pytest.mark.parametrize(("name", "edit", "reason"), EDITS, ids=[row[0] for row in EDITS])
def test_gate(name: str, edit: Edit, reason: GateReason) -> None:
    for seed in range(4):
        assert gate(shot(edit(scene(seed)))) is reason


def test_a_corrupt_frame_never_passes() -> None:
    assert gate(shot(scene(), corrupt=True)) is GateReason.CORRUPT


FINDINGS: list[tuple[str, Edit, HealthState | None]] = [
    ("good", lambda image: image, None),
    ("night", lambda image: (image * 0.3).astype(np.uint8), None),
    ("black", lambda image: (image * 0.04).astype(np.uint8), HealthState.BLACK),
    ("bright", lambda image: np.full_like(image, 250), HealthState.BRIGHT),
    ("no signal", lambda image: np.full_like(image, (200, 30, 10)), HealthState.SIGNAL_LOST),
    ("blurred", lambda image: cv2.GaussianBlur(image, (0, 0), 6), HealthState.BLURRED),
    ("occluded", covered, HealthState.OCCLUDED),
    ("colour cast", cast, HealthState.COLOUR_CAST),
]


@pytest.mark.parametrize(("name", "edit", "state"), FINDINGS, ids=[row[0] for row in FINDINGS])
def test_health_after_a_learned_scene(name: str, edit: Edit, state: HealthState | None) -> None:
    detector = HealthDetector()
    for second in range(10):
        assert detector.update(shot(scene(frame=second), second)) == frozenset()
    found: frozenset[HealthState] = frozenset()
    for second in range(10, 16):
        found = detector.update(shot(edit(scene(frame=second)), second))
    assert found == (frozenset() if state is None else {state})
    for second in range(16, 20):
        found = detector.update(shot(scene(frame=second), second))
    assert found == frozenset()


def test_a_short_disturbance_is_not_a_finding() -> None:
    detector = HealthDetector()
    for second in range(10):
        detector.update(shot(scene(frame=second), second))
    assert detector.update(shot(scene() * 0, 10)) == frozenset()
    assert detector.update(shot(scene(frame=11), 11)) == frozenset()


@pytest.mark.parametrize("name", ["one_by_one_persons.mp4", "bottles_negative.mp4", "opendatacam_street.mp4"])
def test_real_clips_pass(name: str) -> None:
    if not (VIDEOS / name).exists():
        pytest.skip("the shared media folder is not present")
    detector = HealthDetector()
    with open_source(str(VIDEOS / name), options=SourceOptions(file_roots=(VIDEOS,))) as source:
        for packet in itertools.islice(source, 400):
            frame = source.decode(packet, want=packet.index % 10 == 0)
            if frame is not None:
                assert gate(frame) is GateReason.OK
                assert detector.update(frame) == frozenset()
