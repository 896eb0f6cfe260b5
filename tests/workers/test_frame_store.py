"""The frame store stays within its limit and forgets what is old."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from apps.core import clock
from workers.capture.frames import OLDEST, FrameStore
from workers.vision.frames import Frame


def noise(seed: int) -> Frame:
    rng = np.random.default_rng(seed)
    return Frame(rng.integers(0, 255, (400, 400, 3), dtype=np.uint8), clock.now())


def test_the_oldest_frames_go_first(tmp_path: Path) -> None:
    store = FrameStore(tmp_path / "frames", megabytes=1)
    paths = [store.write(noise(number), f"f{number}") for number in range(12)]
    for age, path in enumerate(reversed(paths)):
        os.utime(path, (time.time() - age, time.time() - age))
    store.sweep()
    assert store.size()[0] <= 2**20
    assert paths[-1].exists()
    assert not paths[0].exists()


def test_what_is_too_old_goes_even_when_there_is_room(tmp_path: Path) -> None:
    store = FrameStore(tmp_path / "frames", megabytes=100)
    old, new = store.write(noise(1), "old"), store.write(noise(2), "new")
    past = time.time() - OLDEST - 1
    os.utime(old, (past, past))
    assert store.sweep() == 1
    assert new.exists()
    assert not old.exists()


def test_only_its_own_files_are_deleted(tmp_path: Path) -> None:
    other = tmp_path / "other.jpg"
    other.write_bytes(b"x")
    store = FrameStore(tmp_path / "frames")
    store.prepare()
    store.delete(other)
    store.delete(store.root / ".." / "other.jpg")
    assert other.exists()
